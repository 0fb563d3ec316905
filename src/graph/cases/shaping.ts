// How each row of the family is tried.
import { concat } from "../catalogue/shaping.js";
import { ALL } from "../kernels.js";
import type { Cases } from "./case.js";

export const shaping: Cases = {
  cast: ALL.map((dtype) => ({
    inputs: ["T 3,4"],
    call: (x) => x!.cast(dtype),
    range: [0, 3],
    noGradient: "steps",
  })),
  reshape: [
    { inputs: ["T 3,4"], call: (x) => x!.reshape([2, -1]) },
    { inputs: ["T"], call: (x) => x!.reshape([1, 1]) },
    { inputs: ["T 0,3"], call: (x) => x!.reshape([3, 0]) },
  ],
  transpose: [
    { inputs: ["T 2,3,4"], call: (x) => x!.transpose() },
    { inputs: ["T 2,3,4"], call: (x) => x!.transpose([1, 2, -3]) },
  ],
  swapaxes: [{ inputs: ["T 2,3,4"], call: (x) => x!.swapaxes(0, -1) }],
  broadcastTo: [{ inputs: ["T 3,1"], call: (x) => x!.broadcastTo([2, 3, 4]) }],
  expandDims: [
    { inputs: ["T 3,4"], call: (x) => x!.expandDims(-1) },
    { inputs: ["T 3,4"], call: (x) => x!.expandDims([0, 2]) },
  ],
  squeeze: [
    { inputs: ["T 1,3,1"], call: (x) => x!.squeeze() },
    { inputs: ["T 1,3,1"], call: (x) => x!.squeeze(-1) },
  ],
  flatten: [{ inputs: ["T 2,3"], call: (x) => x!.flatten() }],
  concat: [
    { inputs: ["T 2,3", "T 1,3", "T 2,3"], call: (...xs) => concat(xs) },
    { inputs: ["T 2,3", "T 2,1"], call: (...xs) => concat(xs, -1) },
  ],
};
