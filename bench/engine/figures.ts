// The benchmark that a node runs when it joins: how long it takes, how far its figures spread, and how long an engine takes to start.
import { processSlots } from "../../src/engine/process/process-slots.node.js";
import type { EngineFigures, EngineSlots } from "../../src/engine/slot.js";
import { median, print, round } from "../graph/contest.js";

const TIMES = 7;

export async function figures({
  slots,
  options,
}: {
  slots: EngineSlots;
  options: { threads: number; provider?: string };
}): Promise<void> {
  const all: EngineFigures[] = [];
  const ms: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const started = performance.now();
    all.push(await slots.benchmark());
    ms.push(performance.now() - started);
  }
  print({ figure: "benchmark on joining, ms", value: round(Math.max(...ms)), reach: 2000 });
  for (const name of Object.keys(all[0]!) as (keyof EngineFigures)[]) {
    const values = all.map((each) => each[name]);
    const middle = median(values);
    const spread = (Math.max(...values) - Math.min(...values)) / middle;
    print({ figure: `benchmark: ${name}`, value: round(middle), spread: round(spread), reach: 0.1 });
  }
  const starts: number[] = [];
  for (let i = 0; i < 3; i++) {
    const started = performance.now();
    const fresh = await processSlots({ slots: 1, ...options });
    starts.push(performance.now() - started);
    await fresh.close();
  }
  print({ figure: "an engine process starts, ms", value: round(median(starts)) });
}
