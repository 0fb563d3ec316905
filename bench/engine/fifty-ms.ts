// Programs of about 50 ms, 2.25 MiB in and out, one after the other: what of bare ONNX Runtime's throughput a slot has.
import type { Engine } from "../../src/engine/engine.js";
import type { EngineSlots } from "../../src/engine/slot.js";
import { contest, print, round } from "../graph/contest.js";
import { bare, products, through } from "./programs.js";

export async function fiftyMs(
  engine: Engine,
  { slots, rounds }: { slots: EngineSlots; rounds: number },
): Promise<void> {
  const one = await (await bare(engine, products(4)))(5);
  const work = products(Math.max(1, Math.round((4 * 0.05) / one)));
  const results = await contest(
    {
      bare: await bare(engine, work),
      process: through(slots, work),
      "process, 2 ahead": through(slots, work, 2),
    },
    { rounds, steps: 8 },
  );
  for (const [contender, { best, ratio }] of Object.entries(results))
    print({
      figure: "50 ms programs",
      contender,
      ms: round(best * 1000),
      ofBare: round(ratio),
      ...(contender === "process" && { reach: 0.95 }),
    });
}
