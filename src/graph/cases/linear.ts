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
};
