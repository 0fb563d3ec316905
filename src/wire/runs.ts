// Sets of numbers as runs [start, count, start, count, ...]: what "jobs 0 to 9999" costs on the wire is two numbers.
import { FlockworkError } from "../ids/index.js";

/** Packs numbers (any order, best ascending) as runs. */
export function packRuns(numbers: ArrayLike<number>): Float64Array {
  const runs: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    const last = runs.length - 2;
    if (last >= 0 && runs[last]! + runs[last + 1]! === number) runs[last + 1]!++;
    else runs.push(number, 1);
  }
  return Float64Array.from(runs);
}

/** Most numbers one message may name by runs. */
export const MAX_RUN_NUMBERS = 1 << 24;

/** What is wrong with a column of runs; undefined if nothing. */
export function runsFault(runs: Float64Array): string | undefined {
  let total = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const start = runs[i]!;
    const count = runs[i + 1] ?? -1;
    total += count;
    // An empty run names no number, so its start is all there is to check.
    const highest = start + Math.max(count - 1, 0);
    if (start < 0 || count < 0 || !Number.isSafeInteger(highest) || !Number.isSafeInteger(count))
      return `runs [${start}, ${count}] are not usable`;
    if (total > MAX_RUN_NUMBERS) return `runs name more than ${MAX_RUN_NUMBERS} numbers`;
  }
  return undefined;
}

/** Calls `visit` for each number. Throws `bad_message` on columns that are no runs. */
export function eachInRuns(runs: Float64Array, visit: (number: number) => void): void {
  const fault = runsFault(runs);
  if (fault !== undefined) throw new FlockworkError("bad_message", `The ${fault}.`);
  for (let i = 0; i < runs.length; i += 2)
    for (let k = 0, start = runs[i]!, n = runs[i + 1]!; k < n; k++) visit(start + k);
}
