// How each row of the family is tried.
import type { Cases } from "./case.js";

export const indexing: Cases = {
  slice: [
    { inputs: ["T 4,5"], call: (x) => x!.slice([1], [3]) },
    { inputs: ["T 2,4,5"], call: (x) => x!.slice([0, 2], [1, 5], [0, -1]) },
  ],
  pad: [{ inputs: ["T 2,3"], call: (x) => x!.pad([1, 0], [0, 2], 1) }],
  oneHot: [
    { inputs: ["int64 3"], call: (x) => x!.oneHot(4), range: [0, 3] },
    { inputs: ["int32 2,3"], call: (x) => x!.oneHot(3, { dtype: "bool" }), range: [0, 2] },
  ],
};
