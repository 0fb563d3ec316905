// Rows that choose elements by position: take, slices, one-hot, scatter.
import type { DType } from "../../tensor/index.js";
import { arange } from "../creation.js";
import { addDims, mulDims, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { ALL } from "../kernels.js";
import { dotProduct, eachIndex, Nd } from "../nd.js";
import { expectDtype, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Operator } from "../row.js";
import { axesOf, printType } from "../shape.js";
import { bound } from "./pattern.js";

const family = "index" as const;

export const oneHot: Operator<(x: Operand, depth: number, options?: { dtype?: DType }) => Expression> =
  operator(
    compositionRow(
      "oneHot",
      family,
      "1 at the class of each element, 0 elsewhere, along a new last axis of length `depth`.",
      false,
    ),
    (operand: Operand, depth: number, { dtype = "float32" }: { dtype?: DType } = {}) => {
      const x = toExpression("oneHot", operand);
      expectDtype("oneHot", "the operand", x, ["int32", "int64", "uint8"]);
      return x.expandDims(-1).cast("int64").equal(arange(depth)).cast(dtype);
    },
  );

interface SliceAttrs {
  readonly starts: readonly Dim[];
  readonly ends: readonly Dim[];
  readonly axes: readonly number[];
}

const sliceRow = tensorRow<SliceAttrs>({
  name: "slice",
  family,
  doc: "The elements from `starts` up to, not including, `ends` along axes.",
  onnx: "Slice",
  operands: { starts: "dims", ends: "dims", axes: "ints" },
  kernels: ALL,
  infer: ([x], { starts, ends, axes }) => {
    const shape = [...x!.shape];
    axes.forEach((axis, i) => {
      const length = addDims(ends[i]!, mulDims(starts[i]!, -1));
      const dim = shape[axis]!;
      if (
        typeof length === "number" &&
        (length < 0 || (typeof dim === "number" && typeof ends[i] === "number" && ends[i] > dim))
      )
        throw new GraphError(
          `slice: ${starts[i]} to ${ends[i]} along axis ${axis} of ${printType(x!)} is outside 0 to ${dim}`,
        );
      shape[axis] = length;
    });
    return [{ dtype: x!.dtype, shape }];
  },
  flops: () => 0,
  gradient: ({ inputs: [x], g, attrs: { starts, ends, axes } }) => {
    const before: Dim[] = x!.shape.map((_, i) => (axes.includes(i) ? starts[axes.indexOf(i)]! : 0));
    const after: Dim[] = x!.shape.map((dim, i) =>
      axes.includes(i) ? addDims(dim, mulDims(ends[axes.indexOf(i)]!, -1)) : 0,
    );
    return [g.pad(before, after)];
  },
  evaluate: ([x], { starts, axes }, { outputs: [out] }) => {
    const y = Nd.zeros(x!.dtype, bound(out!));
    const strides = x!.strides;
    const offset = axes.reduce((sum, axis, i) => sum + (starts[i] as number) * strides[axis]!, 0);
    eachIndex(y.shape, (index, flat) => {
      y.data[flat] = x!.data[offset + dotProduct(index, strides)]!;
    });
    return [y];
  },
});
export const slice: Operator<
  (x: Operand, starts: readonly Dim[], ends: readonly Dim[], axes?: readonly number[]) => Expression
> = operator(
  sliceRow,
  (operand: Operand, starts: readonly Dim[], ends: readonly Dim[], axes?: readonly number[]) => {
    const x = toExpression("slice", operand);
    const own = axesOf("slice", axes ?? starts.map((_, i) => i), x.rank);
    return apply(sliceRow, [x], { starts, ends, axes: own });
  },
);

const padRow = tensorRow<{ pads: readonly Dim[]; value: number }>({
  name: "pad",
  family,
  doc: "A border of `value` round the elements: so many before and after along each axis.",
  onnx: "Pad",
  operands: { pads: "dims", value: "value" },
  kernels: ["float32", "float64", "int32", "int64", "uint8", "bool"],
  infer: ([x], { pads }) => [
    {
      dtype: x!.dtype,
      shape: x!.shape.map((dim, i) => addDims(dim, addDims(pads[i]!, pads[i + x!.shape.length]!))),
    },
  ],
  flops: () => 0,
  gradient: ({ inputs: [x], g, attrs: { pads } }) => {
    const before = pads.slice(0, x!.rank);
    return [
      g.slice(
        before,
        x!.shape.map((dim, i) => addDims(dim, before[i]!)),
      ),
    ];
  },
  evaluate: ([x], { pads, value }, { outputs: [out] }) => {
    const y = new Nd(x!.dtype, bound(out!), Nd.zeros(x!.dtype, bound(out!)).data.fill(value));
    const strides = y.strides;
    const offset = dotProduct(pads.slice(0, x!.shape.length) as number[], strides);
    eachIndex(x!.shape, (index, flat) => {
      y.data[offset + dotProduct(index, strides)] = x!.data[flat]!;
    });
    return [y];
  },
});
export const pad: Operator<
  (x: Operand, before: readonly Dim[], after: readonly Dim[], value?: number) => Expression
> = operator(padRow, (operand: Operand, before: readonly Dim[], after: readonly Dim[], value = 0) => {
  const x = toExpression("pad", operand);
  if (before.length !== x.rank || after.length !== x.rank)
    throw new GraphError(
      `pad: ${printType(x.type)} has ${x.rank} axes; before [${before.join(",")}] and after [${after.join(",")}] must name each`,
    );
  return apply(padRow, [x], { pads: [...before, ...after], value });
});
