// How each row of the family is tried.
import type { Cases, Case } from "./case.js";

const shapes = [
  ["T 3,4", "T 4,5"],
  ["T 2,3,4", "T 4,5"],
  ["T 2,1,3,4", "T 3,4,2"],
  ["T 4", "T 4,5"],
  ["T 3,4", "T 4"],
  ["T 4", "T 4"],
];

export const linear: Cases = {
  matmul: shapes.map((inputs): Case => ({ inputs, call: (a, b) => a!.matmul(b!) })),

  dot: [
    { inputs: ["T 4", "T 4"], call: (a, b) => a!.dot(b!) },
    { inputs: ["T 2,3,4", "T 4,2"], call: (a, b) => a!.dot(b!) },
    { inputs: ["T 2,4", "T 3,4,2"], call: (a, b) => a!.dot(b!) },
    { inputs: ["T 2,3,4", "T 4"], call: (a, b) => a!.dot(b!) },
    { inputs: ["T", "T 3"], call: (a, b) => a!.dot(b!) },
  ],
  vdot: [{ inputs: ["T 2,3", "T 3,2"], call: (a, b) => a!.vdot(b!) }],
  inner: [
    { inputs: ["T 4", "T 4"], call: (a, b) => a!.inner(b!) },
    { inputs: ["T 2,4", "T 3,2,4"], call: (a, b) => a!.inner(b!) },
  ],
  outer: [{ inputs: ["T 3", "T 2,2"], call: (a, b) => a!.outer(b!) }],
  kron: [
    { inputs: ["T 2,3", "T 3,2"], call: (a, b) => a!.kron(b!) },
    { inputs: ["T 2", "T 3,2"], call: (a, b) => a!.kron(b!) },
  ],
  tensordot: [
    { inputs: ["T 2,3,4", "T 3,4,2"], call: (a, b) => a!.tensordot(b!) },
    { inputs: ["T 3", "T 2"], call: (a, b) => a!.tensordot(b!, 0) },
    {
      inputs: ["T 2,3,4", "T 4,5,2"],
      call: (a, b) =>
        a!.tensordot(b!, [
          [0, -1],
          [2, 0],
        ]),
    },
  ],
  trace: [
    { inputs: ["T 3,4"], call: (x) => x!.trace() },
    { inputs: ["T 3,2,4"], call: (x) => x!.trace({ offset: 1, axes: [0, 2] }) },
  ],
  matrixPower: [1, 2, 5].map((n): Case => ({
    inputs: ["T 3,3"],
    call: (x) => x!.matrixPower(n),
    range: [-1, 1],
  })),
};
