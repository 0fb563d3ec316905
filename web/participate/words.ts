// Figures as sentences.
import type { EngineFigures } from "../../src/engine/slot.js";

/** What one core does in matrix products, beside things people know; the first that is reached. */
const BESIDE: readonly [flops: number, words: string][] = [
  [60e9, "That is what a fast desktop core does."],
  [20e9, "That is as much as a good laptop core."],
  [6e9, "That is what an older laptop or a recent phone does."],
  [0, "That is modest, and still welcome: small tasks will come here."],
];

/** `card`: the graphics card that was measured; undefined: a core was. */
export function inWords({ flops, memory, convolution }: EngineFigures, card?: string): string {
  const beside = card === undefined ? ` ${BESIDE.find(([least]) => flops >= least)![1]}` : "";
  const what = card === undefined ? "One core of this device" : `The graphics card of this device (${card})`;
  const images =
    convolution > 0.8 * flops
      ? "Images suit it as well as matrices."
      : convolution > 0.4 * flops
        ? "It is better at matrices than at images."
        : "Matrices are its strength; images go to others first.";
  return `${what} does about ${rounded(flops / 1e9)} billion operations a second on matrices, and ${rounded(memory / 1e9)} GB of memory pass through it.${beside} ${images}`;
}

function rounded(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
