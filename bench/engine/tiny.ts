// The smallest program: what the way to an engine process and back costs.
import type { Engine } from "../../src/engine/engine.js";
import type { EngineSlots } from "../../src/engine/slot.js";
import { contest, median, print, round } from "../graph/contest.js";
import { addOne, bare, through } from "./programs.js";

export async function tiny(
  engine: Engine,
  { slots, thread, rounds }: { slots: EngineSlots; thread: EngineSlots; rounds: number },
): Promise<void> {
  const work = addOne(8);
  const results = await contest(
    {
      bare: await bare(engine, work),
      process: through(slots, work),
      "process, 16 ahead": through(slots, work, 16),
      thread: through(thread, work),
      "thread, 16 ahead": through(thread, work, 16),
    },
    { rounds, steps: 1500 },
  );
  for (const [contender, { best }] of Object.entries(results))
    print({ figure: "tiny program", contender, us: round(best * 1e6), perSecond: Math.round(1 / best) });
  print({
    figure: "tiny programs pipelined, a second a slot",
    value: Math.round(1 / results["process, 16 ahead"]!.best),
    reach: 5000,
  });
  await inside(engine, slots);
}

/** One run at a time, each of them timed: in the engine as it says, and from asking to having. */
async function inside(engine: Engine, slots: EngineSlots): Promise<void> {
  const work = addOne(8);
  const { session } = await bare(engine, work);
  const feeds = Object.fromEntries(session.inputs.map((name, i) => [name, work.inputs[i]!]));
  const times: Record<"bare" | "engine" | "all", number[]> = { bare: [], engine: [], all: [] };
  for (let i = 0; i < 3000; i++) {
    let started = performance.now();
    await session.run(feeds);
    times.bare.push(performance.now() - started);
    started = performance.now();
    times.engine.push((await slots.run(work.source, work.inputs).settled).ms);
    times.all.push(performance.now() - started);
  }
  const p50 = (of: number[]): number => round(median(of.slice(500)) * 1000);
  const [alone, engineMs, all] = [p50(times.bare), p50(times.engine), p50(times.all)];
  print({ figure: "tiny program, p50 us", bare: alone, inTheEngine: engineMs, fromAskingToHaving: all });
  print({ figure: "tiny program over bare, p50 us", value: round(all - alone), reach: 30 });
}
