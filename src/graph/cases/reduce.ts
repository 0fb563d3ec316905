// How each row of the family is tried.
import * as rows from "../catalogue/reduce.js";
import type { ArgReduction, Reduction } from "../catalogue/reduce.js";
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

function argCases(f: ArgReduction): Case[] {
  return [
    { inputs: ["T 3,4"], call: (x) => f(x!) },
    { inputs: ["T 3,4"], call: (x) => f(x!, undefined, { keepdims: true }) },
    { inputs: ["T 2,3,4"], call: (x) => f(x!, 1) },
    { inputs: ["T 2,3,4"], call: (x) => f(x!, -1, { keepdims: true }) },
  ];
}

export const reduce: Cases = {
  sum: reductionCases(rows.sum),
  mean: reductionCases(rows.mean),
  max: reductionCases(rows.max),
  min: reductionCases(rows.min),
  prod: reductionCases(rows.prod),
  sumSquares: reductionCases(rows.sumSquares),
  l1Norm: reductionCases(rows.l1Norm),
  l2Norm: reductionCases(rows.l2Norm),
  logSumExp: reductionCases(rows.logSumExp),
  any: reductionCases(rows.any),
  all: reductionCases(rows.all),
  argmax: argCases(rows.argmax),
  argmin: argCases(rows.argmin),
  cumsum: [
    { inputs: ["T 3,4"], call: (x) => x!.cumsum(-1) },
    { inputs: ["T 2,3,2"], call: (x) => x!.cumsum(1, { exclusive: true }) },
    { inputs: ["T 3,4"], call: (x) => x!.cumsum(0, { exclusive: true, reverse: true }) },
    { inputs: ["T 3,4"], call: (x) => x!.cumsum() },
  ],
};
