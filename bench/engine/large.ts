// A tensor of 4 MiB in, one of 4 MiB out.
import type { Engine } from "../../src/engine/engine.js";
import type { EngineSlots } from "../../src/engine/slot.js";
import { contest, print, round } from "../graph/contest.js";
import { addOne, bare, through } from "./programs.js";

export async function large(
  engine: Engine,
  { slots, thread, rounds }: { slots: EngineSlots; thread: EngineSlots; rounds: number },
): Promise<void> {
  const work = addOne(2 ** 20);
  const results = await contest(
    {
      bare: await bare(engine, work),
      process: through(slots, work),
      "process, 2 ahead": through(slots, work, 2),
      thread: through(thread, work),
    },
    { rounds, steps: 40 },
  );
  for (const [contender, { best }] of Object.entries(results))
    print({ figure: "4 MiB in and out", contender, ms: round(best * 1000) });
}
