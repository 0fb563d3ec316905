// The rows of values that nothing computes (inputs, constants, dimensions as numbers), and cast, which operands need before any other row.
import type { DType } from "../tensor/index.js";
import { bindDim, type Dim } from "./dim.js";
import { ALL } from "./kernels.js";
import { mapBroadcast, Nd } from "./nd.js";
import { tensorRow, type Attrs, type SourceRow } from "./row.js";
import { isFloat } from "./shape.js";

function unreachable(name: string): () => never {
  return () => {
    throw new Error(`${name} is bound by whoever runs the graph, never evaluated`);
  };
}

export const inputRow: SourceRow = {
  kind: "source",
  name: "input",
  family: "source",
  doc: "A value given at each run.",
  infer: unreachable("input"),
  flops: () => 0,
  evaluate: unreachable("input"),
};

export const constantRow: SourceRow = {
  kind: "source",
  name: "constant",
  family: "source",
  doc: "A value known when the graph is built.",
  infer: unreachable("constant"),
  flops: () => 0,
  evaluate: unreachable("constant"),
};

/** A dimension, or a product of dimensions, as a scalar; attrs { dim, dtype }. */
export const dimensionRow: SourceRow = {
  kind: "source",
  name: "dimension",
  family: "source",
  doc: "A dimension as a scalar.",
  attributes: { dim: "dim", dtype: "dtype" },
  infer: (_, attrs: Attrs) => [{ dtype: attrs.dtype as DType, shape: [] }],
  flops: () => 0,
  gradient: "zero",
  evaluate: (_, attrs) => [new Nd(attrs.dtype as DType, [], Float64Array.of(bindDim(attrs.dim as Dim, {})))],
};

export const castRow = tensorRow<{ to: DType }>({
  name: "cast",
  family: "shape",
  doc: "The same values in another dtype; floats lose their fraction on the way to integers.",
  onnx: "Cast",
  attributes: { to: "dtype" },
  kernels: ALL,
  infer: ([x], { to }) => [{ dtype: to, shape: x!.shape }],
  flops: () => 0,
  gradient: ({ inputs: [x], g, attrs }) => [
    isFloat(x!.dtype) && isFloat(attrs.to) ? g.cast(x!.dtype) : undefined,
  ],
  evaluate: ([x], { to }) => [mapBroadcast(to, x!.shape, [x!], (v) => v)],
  cuts: ({ inputs }) => inputs[0]!.shape.map((_, axis) => ({ inputs: [axis], join: { concat: axis } })),
});
