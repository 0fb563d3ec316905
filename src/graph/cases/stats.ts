// How each row of the family is tried.
import * as rows from "../catalogue/stats.js";
import type { Case, Cases } from "./case.js";

function overAxes(f: rows.Spread): Case[] {
  return [
    { inputs: ["T 3,4"], call: (x) => f(x!) },
    { inputs: ["T 3,4"], call: (x) => f(x!, -1, { ddof: 1 }) },
    { inputs: ["T 2,3,4"], call: (x) => f(x!, [0, 2], { keepdims: true }) },
  ];
}

export const stats: Cases = {
  variance: overAxes(rows.variance),
  std: overAxes(rows.std),
  average: [
    { inputs: ["T 3,4"], call: (x) => x!.average(0) },
    {
      inputs: ["T 3,4", "T 3,4"],
      call: (x, weights) => x!.average(1, { weights: weights! }),
      range: [0.5, 2],
    },
    {
      inputs: ["T 3,4", "T 3"],
      call: (x, weights) => x!.average(0, { weights: weights!, keepdims: true }),
      range: [0.5, 2],
    },
  ],
  percentile: [
    { inputs: ["T 3,5"], call: (x) => x!.percentile(30) },
    { inputs: ["T 3,5"], call: (x) => x!.percentile([0, 25, 100], 1) },
    { inputs: ["T 3,5"], call: (x) => x!.percentile(90, 0, { keepdims: true }) },
  ],
  quantile: [{ inputs: ["T 3,5"], call: (x) => x!.quantile([0.1, 0.9], 1) }],
  median: [
    { inputs: ["T 3,4"], call: (x) => x!.median() },
    { inputs: ["T 3,5"], call: (x) => x!.median(-1, { keepdims: true }) },
  ],
  mode: [
    { inputs: ["T 4,5"], call: (x) => x!.mode() },
    { inputs: ["T 9,5"], call: (x) => x!.mode(0) },
    { inputs: ["T 4,9"], call: (x) => x!.mode(1, { keepdims: true }) },
  ],
  bincount: [
    { inputs: ["int64 30"], call: (x) => x!.bincount(4), range: [-2, 5] },
    {
      inputs: ["int32 3,5", "T 3,5"],
      call: (x, weights) => x!.bincount(4, { weights: weights! }),
      range: [-2, 5],
    },
  ],
  zScore: [{ inputs: ["T 3,4"], call: (x) => x!.zScore(1, { ddof: 1 }) }],
  minMaxScale: [{ inputs: ["T 3,4"], call: (x) => x!.minMaxScale(0) }],
  covariance: [{ inputs: ["T 3,6"], call: (x) => x!.covariance() }],
  pearson: [{ inputs: ["T 3,6", "T 3,6"], call: (a, b) => a!.pearson(b!) }],
};
