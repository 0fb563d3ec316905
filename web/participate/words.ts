// Figures as sentences.
import type { Figures } from "./benchmark.js";

/** What one slot does, beside things people know; the first that is reached. */
const BESIDE: readonly [flops: number, words: string][] = [
  [20e9, "That is what a fast desktop core does with everything it has."],
  [4e9, "That is as much as a good laptop core."],
  [1e9, "That is what a laptop or a recent phone does."],
  [2.5e8, "That is what an older laptop or a phone does: every bit helps."],
  [0, "That is modest, and still welcome: small tasks will come here."],
];

function rounded(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

export function inWords({ flops, memory }: Figures): string {
  const beside = BESIDE.find(([least]) => flops >= least)![1];
  return `One core of this device does about ${rounded(flops / 1e9)} billion operations a second and moves ${rounded(memory / 1e9)} GB of memory a second. ${beside}`;
}
