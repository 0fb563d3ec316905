// Rows that choose elements by position: take, slices, one-hot, scatter.
import type { DType } from "../../tensor/index.js";
import { arange } from "../creation.js";
import { addDims, divideDims, mulDims, type Dim, type Shape } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { ALL } from "../kernels.js";
import { dotProduct, eachIndex, Nd } from "../nd.js";
import { expectDtype, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Operator } from "../row.js";
import { axesOf, axisOf, printType } from "../shape.js";
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
  /** One past the last element taken, in the direction of the step: -1 stands before the first. */
  readonly ends: readonly Dim[];
  readonly axes: readonly number[];
  readonly steps: readonly number[];
}

const sliceRow = tensorRow<SliceAttrs>({
  name: "slice",
  family,
  doc: "The elements from `starts` up to, not including, `ends` along axes, `steps` apart; negative positions count from the end, null is open.",
  onnx: "Slice",
  operands: { starts: "dims", ends: "dims", axes: "ints", steps: "ints" },
  kernels: ALL,
  infer: ([x], { starts, ends, axes, steps }) => {
    const shape = [...x!.shape];
    axes.forEach((axis, i) => {
      const length = sliceLength(starts[i]!, ends[i]!, steps[i]!);
      const dim = shape[axis]!;
      const outside = [starts[i]!, ends[i]!].some(
        (at) => typeof at === "number" && typeof dim === "number" && (at < -1 || at > dim),
      );
      if (length === undefined || outside || (typeof length === "number" && length < 0))
        throw new GraphError(
          `slice: ${starts[i]} to ${ends[i]} in steps of ${steps[i]} along axis ${axis} of ${printType(x!)} ` +
            (length === undefined ? "is not known before it runs" : `is outside 0 to ${dim}`),
        );
      shape[axis] = length;
    });
    return [{ dtype: x!.dtype, shape }];
  },
  // ONNX reads -1 as the last element, and anything further below as the open end.
  exported: (attrs) => ({
    ...attrs,
    ends: attrs.ends.map((end, i) => (attrs.steps[i]! < 0 && end === -1 ? -(2 ** 31) : end)),
  }),
  flops: () => 0,
  gradient: ({ inputs: [x], g, attrs: { starts, axes, steps } }) => [
    g.unslice(x!.shape, starts, axes, steps),
  ],
  evaluate: ([x], { starts, axes, steps }, { outputs: [out] }) => {
    const y = Nd.zeros(x!.dtype, bound(out!));
    const offset = axes.reduce((sum, axis, i) => sum + (starts[i] as number) * x!.strides[axis]!, 0);
    const strides = x!.strides;
    axes.forEach((axis, i) => (strides[axis]! *= steps[i]!));
    eachIndex(y.shape, (index, flat) => {
      y.data[flat] = x!.data[offset + dotProduct(index, strides)]!;
    });
    return [y];
  },
  cuts: ({ inputs: [x], attrs: { axes } }) =>
    x!.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : { inputs: [axis], join: { concat: axis } })),
});

/** How many elements lie from `start` to before `end`; undefined where a step over symbols may come out uneven. */
function sliceLength(start: Dim, end: Dim, step: number): Dim | undefined {
  const span = addDims(end, mulDims(start, -1));
  if (typeof span === "number") return Math.max(0, Math.ceil(span / step));
  const rest = divideDims(addDims(span, -Math.sign(step)), step);
  return Math.abs(step) === 1 ? mulDims(span, step) : rest === undefined ? undefined : addDims(rest, 1);
}

/** A position along an axis; null is as far as the slice goes. */
export type Position = Dim | null;

export const slice: Operator<
  (
    x: Operand,
    starts: readonly Position[],
    ends: readonly Position[],
    axes?: readonly number[],
    steps?: readonly number[],
  ) => Expression
> = operator(
  sliceRow,
  (
    operand: Operand,
    starts: readonly Position[],
    ends: readonly Position[],
    axes: readonly number[] = starts.map((_, i) => i),
    steps: readonly number[] = axes.map(() => 1),
  ) => {
    const x = toExpression("slice", operand);
    const own = axes.map((axis) => axisOf("slice", axis, x.rank));
    if (
      [starts, ends, steps].some((list) => list.length !== own.length) ||
      new Set(own).size !== own.length ||
      steps.some((step) => !Number.isInteger(step) || step === 0)
    )
      throw new GraphError(
        `slice: starts [${starts.join()}], ends [${ends.join()}], axes [${axes.join()}] and steps [${steps.join()}] must be equally many, the axes distinct, and no step 0`,
      );
    const dims = own.map((axis) => x.shape[axis]!);
    const from = dims.map((dim, i) => clip(starts[i]!, dim, steps[i]!, steps[i]! > 0 ? 0 : addDims(dim, -1)));
    const to = dims.map((dim, i) => clip(ends[i]!, dim, steps[i]!, steps[i]! > 0 ? dim : null));
    const cut = own.flatMap((_, i) => (steps[i] === 1 && from[i] === 0 && to[i] === dims[i] ? [] : i));
    const only = <T>(list: readonly T[]): T[] => cut.map((i) => list[i]!);
    return cut.length === 0
      ? x
      : apply(sliceRow, [x], { starts: only(from), ends: only(to), axes: only(own), steps: only(steps) });
  },
);

/** NumPy's reading of a position: from the end where it is negative, and no further than the axis where that is known. */
function clip(at: Position, dim: Dim, step: number, open: Position): Dim {
  if (at === null) return open ?? -1;
  const from = typeof at === "number" && at < 0 ? addDims(dim, at) : at;
  if (typeof from === "string" || typeof dim === "string") return from;
  return step > 0 ? Math.min(Math.max(from, 0), dim) : Math.min(Math.max(from, -1), dim - 1);
}

export const unslice: Operator<
  (
    x: Operand,
    shape: Shape,
    starts: readonly Dim[],
    axes: readonly number[],
    steps?: readonly number[],
  ) => Expression
> = operator(
  compositionRow(
    "unslice",
    family,
    "The reverse of slice: the elements at their places among zeros of a shape.",
  ),
  (
    operand: Operand,
    shape: Shape,
    starts: readonly Dim[],
    axes: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ) => {
    const back = axes.filter((_, i) => steps[i]! < 0);
    const x = toExpression("unslice", operand);
    const forward = back.length === 0 ? x : x.flip(back);
    const spaced = axes.reduce((y, axis, i) => apart(y, axis, Math.abs(steps[i]!)), forward);
    const before = shape.map((_, axis): Dim => {
      const i = axes.indexOf(axis);
      if (i < 0) return 0;
      return steps[i]! > 0 ? starts[i]! : addDims(starts[i]!, addDims(1, mulDims(spaced.shape[axis]!, -1)));
    });
    const after = shape.map((dim, axis) =>
      addDims(dim, mulDims(addDims(before[axis]!, spaced.shape[axis]!), -1)),
    );
    return [...before, ...after].every((n) => n === 0) ? spaced : spaced.pad(before, after);
  },
);

/** `step - 1` zeros between the elements along an axis. */
function apart(x: Expression, axis: number, step: number): Expression {
  const length = x.shape[axis]!;
  if (step === 1 || length === 1 || length === 0) return x;
  const zeros = x.shape.map(() => 0);
  const cells = x.expandDims(axis + 1).pad([...zeros, 0], zeros.toSpliced(axis + 1, 0, step - 1));
  const flat = cells.reshape(x.shape.with(axis, mulDims(length, step)));
  return flat.slice([0], [addDims(mulDims(addDims(length, -1), step), 1)], [axis]);
}

export const flip: Operator<(x: Operand, axis?: number | readonly number[]) => Expression> = operator(
  compositionRow("flip", family, "The elements in reverse order along the axes named, or all."),
  (operand: Operand, axis?: number | readonly number[]) => {
    const x = toExpression("flip", operand);
    const axes = axesOf("flip", axis, x.rank);
    const open = axes.map(() => null);
    return axes.length === 0
      ? x
      : x.slice(
          open,
          open,
          axes,
          axes.map(() => -1),
        );
  },
);

export { at, findIndex, findIndices, foreach, setValue } from "./subscript.js";
export { pad } from "./padding.js";
export { gather, gatherNd, take, takeAlongAxis } from "./gather.js";
export { scatter, scatterNd } from "./scatter.js";
export { flip as reverse };
