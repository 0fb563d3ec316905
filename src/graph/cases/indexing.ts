// How each row of the family is tried.
import type { Cases } from "./case.js";

export const indexing: Cases = {
  slice: [
    { inputs: ["T 4,5"], call: (x) => x!.slice([1], [3]) },
    { inputs: ["T 2,4,5"], call: (x) => x!.slice([0, 2], [1, 5], [0, -1]) },
    { inputs: ["T 7,3"], call: (x) => x!.slice([-1], [null], [0], [-3]) },
    { inputs: ["T 7,3"], call: (x) => x!.slice([1, null], [99, -1], [0, 1], [2, 1]) },
    { inputs: ["T 5"], call: (x) => x!.slice([3], [0], [0], [-1]) },
    { inputs: ["T 5"], call: (x) => x!.slice([3], [2]) },
  ],
  unslice: [
    { inputs: ["T 2,3"], call: (x) => x!.unslice([2, 9], [1], [1], [3]) },
    { inputs: ["T 3,2"], call: (x) => x!.unslice([7, 4], [6, 1], [0, 1], [-2, 1]) },
  ],
  flip: [
    { inputs: ["T 2,3"], call: (x) => x!.flip() },
    { inputs: ["T 2,3,2"], call: (x) => x!.flip([1, -1]) },
  ],
  pad: [{ inputs: ["T 2,3"], call: (x) => x!.pad([1, 0], [0, 2], 1) }],
  oneHot: [
    { inputs: ["int64 3"], call: (x) => x!.oneHot(4), range: [0, 3] },
    { inputs: ["int32 2,3"], call: (x) => x!.oneHot(3, { dtype: "bool" }), range: [0, 2] },
  ],
};
