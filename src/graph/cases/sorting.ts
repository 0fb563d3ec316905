// How each row of the family is tried.
import type { Expression } from "../expression.js";
import type { Unique } from "../catalogue/sorting.js";
import type { Cases } from "./case.js";

const all = ({ values, indices, inverse, counts }: Unique): Expression[] => [
  values,
  indices,
  inverse,
  counts,
];

export const sorting: Cases = {
  topk: [
    { inputs: ["T 3,5"], call: (x) => Object.values(x!.topk(2)) as Expression[] },
    {
      inputs: ["T 2,5,3"],
      call: (x) => Object.values(x!.topk(3, { axis: 1, smallest: true })) as Expression[],
    },
    { inputs: ["T 4"], call: (x) => x!.topk(0).values },
  ],
  sort: [
    { inputs: ["T 3,5"], call: (x) => x!.sort() },
    { inputs: ["T 3,5"], call: (x) => x!.sort(0, { descending: true }) },
  ],
  argsort: [
    { inputs: ["T 3,5"], call: (x) => x!.argsort() },
    { inputs: ["T 40"], call: (x) => x!.argsort(0, { descending: true }) },
  ],
  uniqueAll: [
    { inputs: ["T 3,5"], call: (x) => all(x!.uniqueAll()), noGradient: "its shape depends on data" },
    { inputs: ["T 30"], call: (x) => all(x!.uniqueAll()), noGradient: "its shape depends on data" },
  ],
  unique: [{ inputs: ["T 3,5"], call: (x) => x!.unique(), noGradient: "its shape depends on data" }],
  nonzero: [
    { inputs: ["T 3,5"], call: (x) => x!.nonzero() },
    { inputs: ["T"], call: (x) => x!.nonzero() },
  ],
};
