// Reading and writing by tensors of positions: gather and scatter in ONNX's three manners. Each is the gradient of the other.
import { full } from "../creation.js";
import type { Shape } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { ALL, NUMBERS } from "../kernels.js";
import { count, eachIndex, Nd, stridesOf, wrapTo } from "../nd.js";
import { castTo, expectDtype, meet, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Cut, type Io, type Operator } from "../row.js";
import { axisOf, printType, sameShape, type Type } from "../shape.js";
import { bound } from "./pattern.js";

const family = "index" as const;
const noFlops = (): number => 0;

interface AxisAttrs {
  readonly axis: number;
}

const takeRow = tensorRow<AxisAttrs>({
  name: "take",
  family,
  doc: "The slices at `indices` along an axis, which the axes of the indices replace; without an axis, of the flattened elements. Negative indices count from the end.",
  onnx: "Gather",
  attributes: { axis: "int" },
  kernels: ALL,
  kernelInputs: [0],
  infer: ([x, indices], { axis }) => [
    { dtype: x!.dtype, shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)] },
  ],
  flops: noFlops,
  gradient: ({ inputs: [x, indices], g, attrs: { axis } }) => {
    const n = indices!.rank;
    const rest = g.shape.map((_, i) => i).filter((i) => i < axis || i >= axis + n);
    const own = Array.from({ length: n }, (_, i) => axis + i);
    const front = [axis, ...x!.shape.map((_, i) => i).filter((i) => i !== axis)];
    const summed = zeros(
      g,
      front.map((i) => x!.shape[i]!),
    ).scatterNd(indices!.expandDims(-1), g.transpose([...own, ...rest]), "add");
    return [summed.transpose(front.map((_, i) => front.indexOf(i))), undefined];
  },
  evaluate: ([x, indices], { axis }, { outputs: [out] }) => {
    const inner = count(x!.shape.slice(axis + 1));
    const length = x!.shape[axis]!;
    const y = Nd.zeros(x!.dtype, bound(out!));
    for (let o = 0, to = 0; o < count(x!.shape.slice(0, axis)); o++)
      for (const index of indices!.data) {
        const from = (o * length + position("take", index, length)) * inner;
        y.data.set(x!.data.subarray(from, from + inner), to);
        to += inner;
      }
    return [y];
  },
  cuts: ({ inputs: [x, indices], attrs: { axis } }) => {
    const n = indices!.shape.length;
    const own = indices!.shape.map((_, i): Cut => ({ inputs: [null, i], join: { concat: axis + i } }));
    const rest = x!.shape.flatMap((_, i): Cut[] =>
      i === axis ? [] : [{ inputs: [i, null], join: { concat: i < axis ? i : i - 1 + n } }],
    );
    return [...own, ...rest];
  },
});
export const take: Operator<(x: Operand, indices: Operand, axis?: number) => Expression> = operator(
  takeRow,
  (operand: Operand, indices: Operand, axis?: number) => {
    const x = toExpression("take", operand);
    const at = positions("take", indices);
    return axis === undefined
      ? apply(takeRow, [x.flatten(), at], { axis: 0 })
      : apply(takeRow, [x, at], { axis: axisOf("take", axis, x.rank) });
  },
);

export const gather: Operator<(x: Operand, indices: Operand, axis?: number) => Expression> = operator(
  compositionRow("gather", family, "The slices at `indices` along an axis, the first unless told."),
  (x: Operand, indices: Operand, axis = 0) => take(x, indices, axis),
);

const takeAlongAxisRow = tensorRow<AxisAttrs>({
  name: "takeAlongAxis",
  family,
  doc: "For each place of `indices`, the element of x at that place, but with the index for its position along an axis.",
  onnx: "GatherElements",
  attributes: { axis: "int" },
  kernels: ALL,
  kernelInputs: [0],
  infer: ([x, indices], { axis }) => [
    { dtype: x!.dtype, shape: expectAlong("takeAlongAxis", x!, indices!, axis) },
  ],
  flops: noFlops,
  gradient: ({ inputs: [x, indices], g, attrs: { axis } }) => [
    zeros(g, x!.shape).scatter(indices!, g, { axis, reduction: "add" }),
    undefined,
  ],
  evaluate: ([x, indices], { axis }) => {
    const y = Nd.zeros(x!.dtype, indices!.shape);
    eachAlong("takeAlongAxis", x!.shape, indices!, axis, (from, to) => (y.data[to] = x!.data[from]!));
    return [y];
  },
  cuts: ({ inputs: [x, indices], attrs: { axis } }) =>
    x!.shape.flatMap((dim, i) =>
      i === axis || dim !== indices!.shape[i] ? [] : { inputs: [i, i], join: { concat: i } },
    ),
});
export const takeAlongAxis: Operator<(x: Operand, indices: Operand, axis?: number) => Expression> = operator(
  takeAlongAxisRow,
  (operand: Operand, indices: Operand, axis = -1) => {
    const x = toExpression("takeAlongAxis", operand);
    return apply(takeAlongAxisRow, [x, positions("takeAlongAxis", indices)], {
      axis: axisOf("takeAlongAxis", axis, x.rank),
    });
  },
);

/** What happens where something stands already; "none" replaces it, and must not meet an index twice. */
export type Reduction = "none" | "add" | "mul" | "max" | "min";
export interface ScatterOptions {
  readonly axis?: number;
  readonly reduction?: Reduction;
}
const JOIN: Readonly<Record<Reduction, (old: number, value: number) => number>> = {
  none: (_, value) => value,
  add: (old, value) => old + value,
  mul: (old, value) => old * value,
  max: Math.max,
  min: Math.min,
};

interface ScatterAttrs extends AxisAttrs {
  readonly reduction: Reduction;
}

const scatterRow = tensorRow<ScatterAttrs>({
  name: "scatter",
  family,
  doc: "x with each update at its own place, but with the index for its position along an axis: the reverse of takeAlongAxis.",
  onnx: "ScatterElements",
  attributes: { axis: "int", reduction: "string" },
  kernels: NUMBERS,
  kernelInputs: [0, 2],
  infer: ([x, indices, updates], { axis }) => {
    expectAlong("scatter", x!, indices!, axis);
    if (!sameShape(indices!.shape, updates!.shape))
      throw new GraphError(
        `scatter: updates ${printType(updates!)} and indices ${printType(indices!)} differ in shape`,
      );
    return [x!];
  },
  flops: ({ inputs: [, indices] }) => count(bound(indices!)),
  gradient: ({ inputs: [, indices, updates], g, attrs: { axis, reduction } }) => {
    const kept = differentiable("scatter", reduction)
      ? g
      : g.scatter(indices!, zeros(g, updates!.shape), { axis });
    return [kept, undefined, g.takeAlongAxis(indices!, axis)];
  },
  evaluate: ([x, indices, updates], { axis, reduction }) => {
    const y = new Nd(x!.dtype, x!.shape, x!.data.slice());
    const [join, wrap] = [JOIN[reduction], wrapTo(x!.dtype)];
    eachAlong("scatter", x!.shape, indices!, axis, (to, from) => {
      y.data[to] = wrap(join(y.data[to]!, updates!.data[from]!));
    });
    return [y];
  },
});
export const scatter: Operator<
  (x: Operand, indices: Operand, updates: Operand, options?: ScatterOptions) => Expression
> = operator(
  scatterRow,
  (
    operand: Operand,
    indices: Operand,
    updates: Operand,
    { axis = 0, reduction = "none" }: ScatterOptions = {},
  ) => {
    const [x, values] = meet("scatter", operand, updates) as [Expression, Expression];
    const at = positions("scatter", indices);
    return apply(scatterRow, [x, at, values.broadcastTo(at.shape)], {
      axis: axisOf("scatter", axis, x.rank),
      reduction,
    });
  },
);

const takeNdRow = tensorRow({
  name: "gatherNd",
  family,
  doc: "The elements, or slices, at positions along the first axes of x, which the last axis of `indices` holds.",
  onnx: "GatherND",
  kernels: ALL,
  kernelInputs: [0],
  infer: ([x, indices]) => [
    { dtype: x!.dtype, shape: [...indices!.shape.slice(0, -1), ...restOf("gatherNd", x!, indices!)] },
  ],
  flops: noFlops,
  gradient: ({ inputs: [x, indices], g }) => [zeros(g, x!.shape).scatterNd(indices!, g, "add"), undefined],
  evaluate: ([x, indices], _, { outputs: [out] }) => {
    const y = Nd.zeros(x!.dtype, bound(out!));
    eachNd("gatherNd", x!.shape, indices!, (from, to, run) => {
      y.data.set(x!.data.subarray(from, from + run), to);
    });
    return [y];
  },
  cuts: leadingCuts,
});
export const gatherNd: Operator<(x: Operand, indices: Operand) => Expression> = operator(
  takeNdRow,
  (x: Operand, indices: Operand) =>
    apply(takeNdRow, [toExpression("gatherNd", x), positions("gatherNd", indices)]),
);

const scatterNdRow = tensorRow<{ reduction: Reduction }>({
  name: "scatterNd",
  family,
  doc: "x with updates, elements or slices, at positions along its first axes, which the last axis of `indices` holds: the reverse of gatherNd.",
  onnx: "ScatterND",
  attributes: { reduction: "string" },
  kernels: NUMBERS,
  kernelInputs: [0, 2],
  infer: ([x, indices, updates]) => {
    const shape = [...indices!.shape.slice(0, -1), ...restOf("scatterNd", x!, indices!)];
    if (!sameShape(shape, updates!.shape))
      throw new GraphError(
        `scatterNd: updates are ${printType(updates!)}; these indices want [${shape.join()}]`,
      );
    return [x!];
  },
  flops: ({ inputs: [, , updates] }) => count(bound(updates!)),
  gradient: ({ inputs: [, indices, updates], g, attrs: { reduction } }) => {
    const kept = differentiable("scatterNd", reduction) ? g : g.scatterNd(indices!, zeros(g, updates!.shape));
    return [kept, undefined, g.gatherNd(indices!)];
  },
  evaluate: ([x, indices, updates], { reduction }) => {
    const y = new Nd(x!.dtype, x!.shape, x!.data.slice());
    const [join, wrap] = [JOIN[reduction], wrapTo(x!.dtype)];
    eachNd("scatterNd", x!.shape, indices!, (to, from, run) => {
      for (let i = 0; i < run; i++) y.data[to + i] = wrap(join(y.data[to + i]!, updates!.data[from + i]!));
    });
    return [y];
  },
});
export const scatterNd: Operator<
  (x: Operand, indices: Operand, updates: Operand, reduction?: Reduction) => Expression
> = operator(
  scatterNdRow,
  (operand: Operand, indices: Operand, updates: Operand, reduction: Reduction = "none") => {
    const [x, values] = meet("scatterNd", operand, updates) as [Expression, Expression];
    const at = positions("scatterNd", indices);
    const shape = [...at.shape.slice(0, -1), ...restOf("scatterNd", x.type, at.type)];
    return apply(scatterNdRow, [x, at, values.broadcastTo(shape)], { reduction });
  },
);

/** Whether updates add up; false where they replace; an error for what has no gradient. */
function differentiable(who: string, reduction: Reduction): boolean {
  if (reduction !== "add" && reduction !== "none")
    throw new GraphError(
      `gradients: ${who} with reduction "${reduction}" has no gradient; only "add" and "none" have`,
    );
  return reduction === "add";
}

function zeros(like: Expression, shape: Shape): Expression {
  return full([], 0, { dtype: like.dtype }).broadcastTo(shape);
}

/** Indices as an integer expression that ONNX takes. */
function positions(who: string, operand: Operand): Expression {
  const literal = typeof operand === "number" || Array.isArray(operand);
  const x = toExpression(who, operand, literal ? "int64" : undefined);
  expectDtype(who, "the index", x, ["int64", "int32", "uint8"]);
  return x.dtype === "uint8" ? castTo(x, "int64") : x;
}

/** The shape of the indices, which have the axes of x, and are nowhere longer but along the axis. */
function expectAlong(who: string, x: Type, indices: Type, axis: number): Shape {
  const fits =
    x.shape.length === indices.shape.length &&
    indices.shape.every((dim, i) => {
      const own = x.shape[i]!;
      return i === axis || dim === own || (typeof dim === "number" && typeof own === "number" && dim < own);
    });
  if (!fits)
    throw new GraphError(
      `${who}: indices ${printType(indices)} do not fit ${printType(x)}: they have the same axes, and are nowhere longer but along axis ${axis}`,
    );
  return indices.shape;
}

/** What is left of the shape of x behind the axes that the indices name. */
function restOf(who: string, x: Type, indices: Type): Shape {
  const named = indices.shape.at(-1);
  if (typeof named !== "number" || named < 1 || named > x.shape.length)
    throw new GraphError(
      `${who}: the last axis of indices ${printType(indices)} holds a position, of 1 to ${x.shape.length} numbers, in ${printType(x)}`,
    );
  return x.shape.slice(named);
}

function leadingCuts({ inputs: [, indices] }: Io<unknown>): Cut[] {
  return indices!.shape.slice(0, -1).map((_, axis) => ({ inputs: [null, axis], join: { concat: axis } }));
}

function position(who: string, index: number, length: number): number {
  if (index < -length || index >= length)
    throw new GraphError(`${who}: index ${index} is outside an axis of ${length}`);
  return index < 0 ? index + length : index;
}

/** Each place of `indices`, and where in `shape` it points. */
function eachAlong(
  who: string,
  shape: readonly number[],
  indices: Nd,
  axis: number,
  visit: (at: number, place: number) => void,
): void {
  const strides = stridesOf(shape);
  eachIndex(indices.shape, (index, flat) => {
    const along = position(who, indices.data[flat]!, shape[axis]!);
    visit(
      index.reduce((sum, at, i) => sum + (i === axis ? along : at) * strides[i]!, 0),
      flat,
    );
  });
}

/** Each run of elements that a position names: where it starts in `shape`, where among the updates, and its length. */
function eachNd(
  who: string,
  shape: readonly number[],
  indices: Nd,
  visit: (at: number, place: number, run: number) => void,
): void {
  const named = indices.shape.at(-1)!;
  const strides = stridesOf(shape);
  const run = count(shape.slice(named));
  for (let i = 0; i < count(indices.shape.slice(0, -1)); i++) {
    let at = 0;
    for (let k = 0; k < named; k++)
      at += position(who, indices.data[i * named + k]!, shape[k]!) * strides[k]!;
    visit(at, i * run, run);
  }
}
