// How each row of the family is tried.
import { concat, eye, hstack, stack, tri, vstack } from "../catalogue/shaping.js";
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
    { inputs: ["T 4,6"], call: (x) => x!.reshape([4, 2, 3]) },
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

  diagonal: [
    { inputs: ["T 3,4"], call: (x) => x!.diagonal() },
    { inputs: ["T 2,3,4"], call: (x) => x!.diagonal({ offset: 1 }) },
    { inputs: ["T 4,2,3"], call: (x) => x!.diagonal({ offset: -2, axes: [0, 2] }) },
    { inputs: ["T 2,2"], call: (x) => x!.diagonal({ offset: 5 }) },
  ],
  diag: [
    { inputs: ["T 3"], call: (x) => x!.diag() },
    { inputs: ["T 2"], call: (x) => x!.diag(-1) },
    { inputs: ["T 3,4"], call: (x) => x!.diag(2) },
  ],
  tril: [
    { inputs: ["T 3,4"], call: (x) => x!.tril() },
    { inputs: ["T 2,3,3"], call: (x) => x!.tril(-1) },
  ],
  triu: [
    { inputs: ["T 3,4"], call: (x) => x!.triu() },
    { inputs: ["T 2,3,3"], call: (x) => x!.triu(1) },
  ],
  eye: [{ inputs: ["T 3,4"], call: (x) => x!.mul(eye(3, { columns: 4, offset: 1, dtype: x!.dtype })) }],
  tri: [{ inputs: ["T 3,4"], call: (x) => x!.mul(tri(3, { columns: 4, dtype: x!.dtype })) }],

  moveaxis: [{ inputs: ["T 2,3,4"], call: (x) => x!.moveaxis(-1, 0) }],
  shapeOf: [
    { inputs: ["T 2,3"], call: (x) => x!.shapeOf() },
    { inputs: ["T"], call: (x) => x!.shapeOf() },
  ],
  size: [{ inputs: ["T 2,3"], call: (x) => x!.size() }],
  stack: [
    { inputs: ["T 2,3", "T 2,3"], call: (...xs) => stack(xs) },
    { inputs: ["T 2", "T 2", "float32 2"], call: (...xs) => stack(xs, -1) },
  ],
  vstack: [{ inputs: ["T 3", "T 2,3"], call: (...xs) => vstack(xs) }],
  hstack: [
    { inputs: ["T 3", "T 2"], call: (...xs) => hstack(xs) },
    { inputs: ["T 2,3", "T 2,1"], call: (...xs) => hstack(xs) },
  ],
  split: [
    { inputs: ["T 6,2"], call: (x) => x!.split(3) },
    { inputs: ["T 2,5"], call: (x) => x!.split([1, 0, 4], -1) },
    { inputs: ["T 2,4"], call: (x) => x!.split(2, 1)[1]! },
  ],
  tile: [
    { inputs: ["T 2,3"], call: (x) => x!.tile([2, 1, 3]) },
    { inputs: ["T 2,3"], call: (x) => x!.tile(2) },
  ],
  repeat: [
    { inputs: ["T 2,3"], call: (x) => x!.repeat(2, 1) },
    { inputs: ["T 2,3"], call: (x) => x!.repeat(2) },
    { inputs: ["T 3,2"], call: (x) => x!.repeat([2, 0, 1], 0) },
  ],
  roll: [
    { inputs: ["T 2,3"], call: (x) => x!.roll(-1) },
    { inputs: ["T 2,3"], call: (x) => x!.roll([1, 4], [0, -1]) },
  ],
};
