// How each row of the family is tried.
import type { Expression } from "../expression.js";
import { tensor } from "../leaf.js";
import type { Cases } from "./case.js";

const ints = (value: number[] | number[][] | number[][][]) => tensor(value, { dtype: "int64" });

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
  pad: [
    { inputs: ["T 2,3"], call: (x) => x!.pad([1, 0], [0, 2], 1) },
    { inputs: ["T 2,3"], call: (x) => x!.pad([0, 1], [0, 1]) },
    ...(["edge", "reflect", "symmetric", "wrap"] as const).map((mode) => ({
      inputs: ["T 2,3"],
      call: (...[x]: Expression[]) => x!.pad([1, 2], [0, 4], mode),
    })),
  ],
  oneHot: [
    { inputs: ["int64 3"], call: (x) => x!.oneHot(4), range: [0, 3] },
    { inputs: ["int32 2,3"], call: (x) => x!.oneHot(3, { dtype: "bool" }), range: [0, 2] },
  ],

  take: [
    { inputs: ["T 4,3"], call: (x) => x!.take([2, -1, 2], 0) },
    {
      inputs: ["T 2,4,3"],
      call: (x) =>
        x!.take(
          ints([
            [0, 3],
            [1, 1],
          ]),
          1,
        ),
    },
    { inputs: ["T 2,3"], call: (x) => x!.take([5, 0]) },
    { inputs: ["T 2,3"], call: (x) => x!.take(1, -1) },
    { inputs: ["float32 4,3", "int32 2,2"], call: (x, i) => x!.take(i!, 0), range: [0, 3] },
    { inputs: ["float32 4,3", "uint8 2"], call: (x, i) => x!.take(i!, 0), range: [0, 3] },
  ],
  gather: [{ inputs: ["T 4,3"], call: (x) => x!.gather([2, -1, 2]) }],
  takeAlongAxis: [
    {
      inputs: ["T 2,3"],
      call: (x) =>
        x!.takeAlongAxis([
          [2, 0, 0, -1],
          [1, 1, 0, 2],
        ]),
    },
    { inputs: ["T 3,2"], call: (x) => x!.takeAlongAxis([[2, 0]], 0) },
  ],
  scatter: [
    {
      inputs: ["T 3,4", "T 2,4"],
      call: (x, u) =>
        x!.scatter(
          [
            [0, 1, 2, 0],
            [2, 0, 0, -2],
          ],
          u!,
        ),
    },
    {
      inputs: ["T 3,4", "T 3,2"],
      call: (x, u) =>
        x!.scatter(
          [
            [0, 0],
            [1, 3],
            [2, 2],
          ],
          u!,
          { axis: 1, reduction: "add" },
        ),
    },
    ...(["mul", "max", "min"] as const).map((reduction) => ({
      inputs: ["T 4", "T 3"],
      call: (...[x, u]: Expression[]) => x!.scatter([3, 0, 3], u!, { reduction }),
      noGradient: "only adding has one",
    })),
  ],
  gatherNd: [
    {
      inputs: ["T 3,4"],
      call: (x) =>
        x!.gatherNd([
          [0, 1],
          [2, -1],
          [0, 1],
        ]),
    },
    { inputs: ["T 3,4,2"], call: (x) => x!.gatherNd([[[2]], [[0]]]) },
  ],
  scatterNd: [
    {
      inputs: ["T 3,4", "T 2"],
      call: (x, u) =>
        x!.scatterNd(
          [
            [0, 1],
            [2, -1],
          ],
          u!,
        ),
    },
    { inputs: ["T 3,4", "T 3,4"], call: (x, u) => x!.scatterNd([[1], [0], [1]], u!, "add") },
    ...(["mul", "max", "min"] as const).map((reduction) => ({
      inputs: ["T 4", "T 3"],
      call: (...[x, u]: Expression[]) => x!.scatterNd([[3], [0], [3]], u!, reduction),
      noGradient: "only adding has one",
    })),
  ],

  at: [
    { inputs: ["T 4,3"], call: (x) => x!.at(-1) },
    { inputs: ["T 4,3,2"], call: (x) => x!.at("1:-1", "...", 0) },
    { inputs: ["T 4,3"], call: (x) => x!.at("::-2, new, 1:") },
    { inputs: ["T 4,3,2"], call: (x) => x!.at(1, [2, 0, 2], "1:") },
  ],
  setValue: [
    { inputs: ["T 4,3", "T 3"], call: (x, v) => x!.setValue("1:3", v!) },
    { inputs: ["T 4,3", "T"], call: (x, v) => x!.setValue([-1, "::-2"], v!) },
    { inputs: ["T 4,3", "T 2,3"], call: (x, v) => x!.setValue([2, 0], v!) },
    { inputs: ["T 2,3", "T 2,2"], call: (x, v) => x!.setValue([":", [2, 0]], v!) },
    { inputs: ["T 2,3"], call: (x) => x!.setValue("0,1", 1) },
  ],
  foreach: [
    { inputs: ["T 3,4"], call: (x) => x!.foreach((row) => row.mul(row)) },
    { inputs: ["T 3,4"], call: (x) => x!.foreach((column, i) => column.sum().mul(i), 1) },
  ],
  findIndices: [{ inputs: ["int64 3,4"], call: (x) => x!.findIndices(1), range: [0, 2] }],
  findIndex: [{ inputs: ["T 8", "T 3"], call: (x, v) => x!.findIndex(v!) }],
};
