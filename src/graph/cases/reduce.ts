// How each row of the family is tried.
import * as rows from "../catalogue/reduce.js";
import type { Reduction } from "../catalogue/reduce.js";
import type { Case, Cases } from "./case.js";

function reductionCases(f: Reduction): Case[] {
  return [
    { inputs: ["T 3,4"], call: (x) => f(x!) },
    { inputs: ["T 3,4"], call: (x) => f(x!, -1) },
    { inputs: ["T 2,3,4"], call: (x) => f(x!, [0, -1], { keepdims: true }) },
    { inputs: ["T 2,3,4"], call: (x) => f(x!, 1) },
    { inputs: ["T"], call: (x) => f(x!) },
  ];
}

export const reduce: Cases = {
  sum: reductionCases(rows.sum),
  mean: reductionCases(rows.mean),
  max: reductionCases(rows.max),
  min: reductionCases(rows.min),
  cumsum: [
    { inputs: ["T 3,4"], call: (x) => x!.cumsum(-1) },
    { inputs: ["T 2,3,2"], call: (x) => x!.cumsum(1, { exclusive: true }) },
    { inputs: ["T 3,4"], call: (x) => x!.cumsum(0, { exclusive: true, reverse: true }) },
    { inputs: ["T 3,4"], call: (x) => x!.cumsum() },
  ],
};
