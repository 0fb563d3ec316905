// How each row of the family is tried.
import * as rows from "../catalogue/random.js";
import type { Cases } from "./case.js";

const key = (): rows.RandomKey => rows.randomKey(42);

export const random: Cases = {
  iota: [
    { inputs: [], call: () => rows.iota(5) },
    { inputs: [], call: () => rows.iota(0) },
  ],
  randomBits: [
    { inputs: [], call: () => rows.randomBits(key(), [3, 5]) },
    { inputs: ["int64", "int64"], call: (seed, step) => rows.randomBits(rows.randomKey(seed!, step!), [7]) },
  ],
  uniform: [
    { inputs: [], call: () => rows.uniform(key(), [3, 4]) },
    { inputs: [], call: () => rows.uniform(key(), [5], { low: -1, high: 3, dtype: "float64" }) },
    { inputs: [], call: () => rows.uniform(key(), [5], { dtype: "float16" }) },
  ],
  normal: [
    { inputs: [], call: () => rows.normal(key(), [33]) },
    { inputs: [], call: () => rows.normal(key(), [3, 4], { mean: 2, std: 0.1, dtype: "float64" }) },
  ],
  exponential: [{ inputs: [], call: () => rows.exponential(key(), [33], { rate: 2 }) }],
  randint: [
    { inputs: [], call: () => rows.randint(key(), [4, 5], -3, 10) },
    { inputs: [], call: () => rows.randint(key(), [4, 5], 0, 2 ** 40) },
    { inputs: [], call: () => rows.randint(key(), [4, 5], 0, 6, { dtype: "int32" }) },
  ],
  bernoulli: [{ inputs: [], call: () => rows.bernoulli(key(), [4, 5], 0.3) }],
  permutation: [{ inputs: [], call: () => rows.permutation(key(), 20) }],
  shuffle: [
    { inputs: ["T 5,3"], call: (x) => x!.shuffle(key()) },
    { inputs: ["T 2,5"], call: (x) => x!.shuffle(key(), -1) },
  ],
  choice: [
    { inputs: [], call: () => rows.choice(key(), 10, [3, 4]) },
    { inputs: ["T 5,3"], call: (x) => rows.choice(key(), x!, [4]) },
    { inputs: ["T 5"], call: (x) => rows.choice(key(), x!, [2, 2], { replace: false }) },
    { inputs: [], call: () => rows.choice(key(), 4, [20], { weights: [1, 0, 2, 1] }) },
  ],
  dropout: [
    { inputs: ["T 4,5"], call: (x) => x!.dropout(0.25, key()) },
    { inputs: ["T 4,5"], call: (x) => x!.dropout(0.001, key()) },
  ],
};
