// Many runs of one program by flock.map(), each with inputs of its own.
import type { Flock } from "../../dist/flock/index.node.js";
import { fresh, type Work } from "./programs.js";

/** Seconds a run. */
export async function mapped(flock: Flock, work: Work, runs: number): Promise<number> {
  const batches = function* () {
    for (let i = 0; i < runs; i++) yield fresh(work);
  };
  const started = performance.now();
  const results = flock.map(work.program, batches());
  for (let i = 0; i < runs; i++) if ((await results.next()).done) throw new Error(`${i} of ${runs} results`);
  return (performance.now() - started) / 1000 / runs;
}
