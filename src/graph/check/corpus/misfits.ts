// Inputs that do not fit the operator: dtypes, shapes, windows.
import { model, node, port, single, weights } from "./build.js";
import type { Hostile } from "./case.js";

const x = port("x", "float32", [2, 3]);

export const types: readonly Hostile[] = [
  ["two dtypes that meet", () => single("Add", {}, [weights("w", "float64", [], [1])]), /one dtype/],
  [
    "shapes that do not broadcast",
    () => single("Add", {}, [weights("w", "float32", [4], [1, 2, 3, 4])]),
    /broadcast/,
  ],
  [
    "matrices that do not fit",
    () => single("MatMul", {}, [weights("w", "float32", [2, 2], [1, 2, 3, 4])]),
    /matmul/,
  ],
  ["a MatMul of scalars", () => single("MatMul", {}, [weights("w", "float32", [], [1])]), /MatMul/],
  [
    "a convolution of ranks that differ",
    () => single("Conv", {}, [weights("w", "float32", [1, 1, 1], [1])]),
    /rank/,
  ],
  ["a convolution with a stride of 0", () => conv({ strides: [0, 0] }), /strides/],
  ["a convolution with a negative stride", () => conv({ strides: [-1, 1] }), /strides/],
  ["a convolution with a dilation of 0", () => conv({ dilations: [0, 1] }), /dilations/],
  ["a convolution that pads less than nothing", () => conv({ pads: [-1, 0, 0, 0] }), /pads/],
  ["a convolution in 0 groups", () => conv({ group: 0 }), /group/],
  ["a convolution in 7 groups", () => conv({ group: 7 }), /group/],
  ["a convolution of another kernel than its weights", () => conv({ kernel_shape: [9, 9] }), /kernel_shape/],
  ["a convolution that pads as nobody does", () => conv({ auto_pad: "EVERYWHERE" }), /auto_pad/],
  ["a pool without a window", () => single("MaxPool", {}, [], port("x", "float32", [1, 1, 4, 4])), /window/],
  [
    "a pool with a window of 0",
    () => single("MaxPool", { kernel_shape: [0, 0] }, [], port("x", "float32", [1, 1, 4, 4])),
    /window/,
  ],
  [
    "a window longer than its input",
    () => single("MaxPool", { kernel_shape: [9, 9] }, [], port("x", "float32", [1, 1, 4, 4])),
    /longer/,
  ],
  ["a reshape of other size", () => single("Reshape", {}, [weights("s", "int64", [2], [7, 7])]), /reshape/],
  ["a reshape with two unknowns", () => single("Reshape", {}, [weights("s", "int64", [2], [-1, -1])]), /-1/],
  [
    "a reshape to less than nothing",
    () => single("Reshape", {}, [weights("s", "int64", [2], [-2, -3])]),
    /-2/,
  ],
  ["a squeeze of a long axis", () => single("Squeeze", {}, [weights("a", "int64", [1], [0])]), /squeeze/],
  [
    "a concatenation of ranks that differ",
    () => single("Concat", { axis: 0 }, [weights("w", "float32", [1], [1])]),
    /concat/,
  ],
  ["a split that does not come out", () => single("Split", {}, [weights("s", "int64", [1], [1])]), /split/i],
  [
    "a split into less than nothing",
    () =>
      model({
        inputs: [x],
        outputs: [{ name: "y" }],
        nodes: [node("Split", ["x", "s"], ["y", "z"])],
        initializers: [weights("s", "int64", [2], [-1, 3])],
      }),
    /split/i,
  ],
  ["a slice in steps of 0", () => slice([0], [1], [0], [0]), /slice/i],
  ["a slice of lists that differ in length", () => slice([0, 0], [1], [0], [1]), /length/],
  ["a slice of one axis twice", () => slice([0, 0], [1, 1], [0, 0], [1, 1]), /distinct/],
  ["pads of too few", () => single("Pad", {}, [weights("p", "int64", [2], [1, 1])]), /pads/],
  [
    "batch normalisation while training",
    () => single("Dropout", {}, [weights("r", "float32", [], [0.5]), weights("t", "bool", [], [1])]),
    /random/,
  ],
  ["a Gemm of vectors", () => single("Gemm", {}, [weights("w", "float32", [3], [1, 2, 3])]), /matrices/],
  ["integers where the engine wants floats", () => single("Exp", {}, [], port("x", "int64", [2])), /exp|Exp/],
];

function conv(attributes: Readonly<Record<string, number | string | readonly number[]>>): Uint8Array {
  return single(
    "Conv",
    attributes,
    [weights("w", "float32", [1, 1, 2, 2], [1, 2, 3, 4])],
    port("x", "float32", [1, 1, 4, 4]),
  );
}

function slice(starts: number[], ends: number[], axes: number[], steps: number[]): Uint8Array {
  const list = (name: string, values: number[]): ReturnType<typeof weights> =>
    weights(name, "int64", [values.length], values);
  return single("Slice", {}, [
    list("starts", starts),
    list("ends", ends),
    list("axes", axes),
    list("steps", steps),
  ]);
}
