// How each row of pooling is tried.
import type { AveragePoolOptions, MaxPoolOptions } from "../catalogue/pooling.js";
import type { ResizeOptions } from "../catalogue/resize.js";
import type { PerAxis } from "../catalogue/window.js";
import { gradients } from "../gradient.js";
import type { Expression } from "../expression.js";
import type { Case, Cases } from "./case.js";

/** The gradient, so that engines run it too, and finite differences judge the second derivatives. */
const derived = (y: Expression, x: Expression): Expression[] => gradients(y.mul(y).mul(y).mean(), [x]);

/** Forward and backward. */
const both = (shape: string, f: (x: Expression) => Expression): Case[] => [
  { inputs: [`T ${shape}`], call: (x) => f(x!) },
  { inputs: [`T ${shape}`], call: (x) => derived(f(x!), x!) },
];
const maxPool = (shape: string, window: PerAxis, options?: MaxPoolOptions): Case[] =>
  both(shape, (x) => x.maxPool(window, options));
const averagePool = (shape: string, window: PerAxis, options?: AveragePoolOptions): Case[] =>
  both(shape, (x) => x.averagePool(window, options));
const resize = (shape: string, size: PerAxis, options?: ResizeOptions): Case[] =>
  both(shape, (x) => x.resize(size, options));

export const pooling: Cases = {
  maxPool: [
    ...maxPool("2,3,4,6", 2),
    ...maxPool("1,2,7,8", [3, 2], { stride: 2, padding: [1, 0] }),
    ...maxPool("2,2,6", 3, { stride: 1, padding: "same" }),
    ...maxPool("1,2,7,5", 2, { stride: [2, 1], dilation: 2 }),
    ...maxPool("1,1,2,4,2", 2),
  ],
  averagePool: [
    ...averagePool("2,3,4,6", 2),
    ...averagePool("1,2,7,8", [3, 2], { stride: 2, padding: [1, 0] }),
    ...averagePool("1,2,7", 3, { stride: 2, padding: 1, countPadding: true }),
  ],
  globalAveragePool: both("2,3,4,2", (x) => x.globalAveragePool()),
  globalMaxPool: both("2,3,4,2", (x) => x.globalMaxPool()),
  upsample: [...both("1,2,3,2", (x) => x.upsample([2, 3])), ...both("2,1,3", (x) => x.upsample(2))],
  resize: [
    ...resize("1,2,3,2", [6, 4]),
    ...resize("1,2,6,5", [4, 7]),
    ...resize("2,1,3,4", [7, 2], { mode: "linear" }),
    ...resize("1,1,3,4", [5, 8], { mode: "linear", alignCorners: true }),
  ],
};
