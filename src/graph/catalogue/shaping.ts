// Rows that move elements without computing on them: reshape, transpose, broadcast, join; and cast.
import type { DType } from "../../tensor/index.js";
import { divideDims, mulDims, sizeOf, type Dim, type Shape } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { ALL } from "../kernels.js";
import { broadcastStrides, dotProduct, eachIndex, Nd, count } from "../nd.js";
import { castTo, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Cut, type Operator } from "../row.js";
import { axesOf, axisOf, broadcast, printType, sameShape } from "../shape.js";
import { castRow } from "../source.js";
import { bound, type Unary } from "./pattern.js";

const family = "shape" as const;
const noFlops = (): number => 0;

export const cast: Operator<(x: Operand, dtype: DType) => Expression> = operator(
  castRow,
  (x: Operand, dtype: DType) => castTo(toExpression("cast", x), dtype),
);

const reshapeRow = tensorRow<{ shape: Shape; allowzero?: number }>({
  name: "reshape",
  family,
  doc: "The same elements in another shape; one dimension may be -1.",
  onnx: "Reshape",
  attributes: { allowzero: "int" },
  operands: { shape: "dims" },
  kernels: ALL,
  infer: ([x], { shape }) => [{ dtype: x!.dtype, shape }],
  // One unknown dimension is ONNX's -1, which costs nothing at run time; a 0 means "copy" there unless told.
  exported: ({ shape }) =>
    shape.includes(0)
      ? { shape, allowzero: 1 }
      : shape.filter((dim) => typeof dim === "string").length === 1
        ? { shape: shape.map((dim) => (typeof dim === "string" ? -1 : dim)) }
        : { shape },
  flops: noFlops,
  gradient: ({ inputs: [x], g }) => [g.reshape(x!.shape)],
  evaluate: ([x], _, { outputs: [out] }) => [new Nd(x!.dtype, bound(out!), x!.data)],
  // An axis that both shapes have, after as many elements.
  cuts: ({ inputs: [x], outputs: [y] }) => {
    const [from, to] = [bound(x!), bound(y!)];
    return from.flatMap((length, axis): Cut[] => {
      const outer = count(from.slice(0, axis));
      const own = to.findIndex((dim, i) => dim === length && count(to.slice(0, i)) === outer);
      if (own < 0 || length < 2) return [];
      return [{ inputs: [axis], join: { concat: own }, attrs: (piece) => ({ shape: to.with(own, piece) }) }];
    });
  },
});
export const reshape: Operator<(x: Operand, shape: Shape) => Expression> = operator(
  reshapeRow,
  (operand: Operand, shape: Shape) => {
    const x = toExpression("reshape", operand);
    const target = inferShape(x, shape);
    return sameShape(x.shape, target) ? x : apply(reshapeRow, [x], { shape: target });
  },
);

function inferShape(x: Expression, shape: Shape): Shape {
  const size = sizeOf(x.shape);
  const known = shape.filter((dim) => dim !== -1).reduce<Dim>(mulDims, 1);
  const refuse = (why: string): never => {
    throw new GraphError(
      `reshape: ${printType(x.type)} has ${size} elements and does not become [${shape.join(",")}]: ${why}`,
    );
  };
  if (!shape.includes(-1)) return known === size ? shape : refuse(`that has ${known}`);
  if (shape.indexOf(-1) !== shape.lastIndexOf(-1)) refuse("only one dimension may be -1");
  const rest = divideDims(size, known) ?? refuse(`${size} is no multiple of ${known}`);
  return shape.map((dim) => (dim === -1 ? rest : dim));
}

const transposeRow = tensorRow<{ perm: readonly number[] }>({
  name: "transpose",
  family,
  doc: "The axes in another order; reversed when no order is given.",
  onnx: "Transpose",
  attributes: { perm: "ints" },
  kernels: ALL,
  infer: ([x], { perm }) => [{ dtype: x!.dtype, shape: perm.map((axis) => x!.shape[axis]!) }],
  flops: noFlops,
  gradient: ({ g, attrs: { perm } }) => [g.transpose(perm.map((_, axis) => perm.indexOf(axis)))],
  evaluate: ([x], { perm }, { outputs: [out] }) => [
    gatherNd(
      x!,
      bound(out!),
      perm.map((axis) => x!.strides[axis]!),
    ),
  ],
  cuts: ({ attrs: { perm } }) => perm.map((axis, out) => ({ inputs: [axis], join: { concat: out } })),
});
export const transpose: Operator<(x: Operand, axes?: readonly number[]) => Expression> = operator(
  transposeRow,
  (operand: Operand, axes?: readonly number[]) => {
    const x = toExpression("transpose", operand);
    const perm = (axes ?? Array.from({ length: x.rank }, (_, i) => x.rank - 1 - i)).map((axis) =>
      axisOf("transpose", axis, x.rank),
    );
    if (perm.length !== x.rank || new Set(perm).size !== x.rank)
      throw new GraphError(
        `transpose: axes [${String(axes)}] do not name each of the ${x.rank} axes of ${printType(x.type)} once`,
      );
    return perm.every((axis, i) => axis === i) ? x : apply(transposeRow, [x], { perm });
  },
);

export const swapaxes: Operator<(x: Operand, a: number, b: number) => Expression> = operator(
  compositionRow("swapaxes", family, "Two axes in each other's place."),
  (operand: Operand, a: number, b: number) => {
    const x = toExpression("swapaxes", operand);
    const [i, j] = [axisOf("swapaxes", a, x.rank), axisOf("swapaxes", b, x.rank)];
    return transpose(
      x,
      x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
    );
  },
);

export const moveaxis: Operator<(x: Operand, from: number, to: number) => Expression> = operator(
  compositionRow("moveaxis", family, "One axis at another place, the others in their order."),
  (operand: Operand, from: number, to: number) => {
    const x = toExpression("moveaxis", operand);
    const [i, j] = [axisOf("moveaxis", from, x.rank), axisOf("moveaxis", to, x.rank)];
    const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== i);
    return transpose(x, others.toSpliced(j, 0, i));
  },
);

const shapeRow = tensorRow({
  name: "shapeOf",
  family,
  doc: "The lengths of the axes, as int64, for those who compute with them; the property `shape` is known without running.",
  onnx: "Shape",
  kernels: ALL,
  infer: ([x]) => [{ dtype: "int64", shape: [x!.shape.length] }],
  flops: noFlops,
  gradient: "zero",
  evaluate: ([x]) => [new Nd("int64", [x!.shape.length], Float64Array.from(x!.shape))],
});
export const shapeOf: Unary = operator(shapeRow, (x: Operand) =>
  apply(shapeRow, [toExpression("shapeOf", x)]),
);

const sizeRow = tensorRow({
  name: "size",
  family,
  doc: "The number of elements, as int64.",
  onnx: "Size",
  kernels: ALL,
  infer: () => [{ dtype: "int64", shape: [] }],
  flops: noFlops,
  gradient: "zero",
  evaluate: ([x]) => [new Nd("int64", [], Float64Array.of(x!.data.length))],
});
export const size: Unary = operator(sizeRow, (x: Operand) => apply(sizeRow, [toExpression("size", x)]));

const broadcastRow = tensorRow<{ shape: Shape }>({
  name: "broadcastTo",
  family,
  doc: "Repeats along axes of length 1, and along new leading axes, to reach a shape.",
  onnx: "Expand",
  operands: { shape: "dims" },
  kernels: ALL,
  infer: ([x], { shape }) => {
    if (!sameShape(broadcast("broadcastTo", x!.shape, shape), shape))
      throw new GraphError(`broadcastTo: ${printType(x!)} does not broadcast to [${shape.join(",")}]`);
    return [{ dtype: x!.dtype, shape }];
  },
  flops: noFlops,
  gradient: ({ g }) => [g],
  evaluate: ([x], _, { outputs: [out] }) => [
    gatherNd(x!, bound(out!), broadcastStrides(x!.shape, bound(out!))),
  ],
  cuts: ({ inputs: [x], outputs: [y] }) => {
    const added = bound(y!).length - bound(x!).length;
    return bound(x!).flatMap((length, axis): Cut[] =>
      length < 2
        ? []
        : [
            {
              inputs: [axis],
              join: { concat: axis + added },
              attrs: (piece) => ({ shape: bound(y!).with(axis + added, piece) }),
            },
          ],
    );
  },
});
export const broadcastTo: Operator<(x: Operand, shape: Shape) => Expression> = operator(
  broadcastRow,
  (operand: Operand, shape: Shape) => {
    const x = toExpression("broadcastTo", operand);
    return sameShape(x.shape, shape) ? x : apply(broadcastRow, [x], { shape });
  },
);

/** Reads `x` at the strides given for each output axis. */
function gatherNd(x: Nd, shape: readonly number[], strides: readonly number[]): Nd {
  const out = Nd.zeros(x.dtype, shape);
  eachIndex(shape, (index, flat) => {
    out.data[flat] = x.data[dotProduct(index, strides)]!;
  });
  return out;
}

export const expandDims: Operator<(x: Operand, axis: number | readonly number[]) => Expression> = operator(
  compositionRow("expandDims", family, "New axes of length 1 at the places named, counted in the result."),
  (operand: Operand, axis: number | readonly number[]) => {
    const x = toExpression("expandDims", operand);
    const axes = axesOf("expandDims", axis, x.rank + (typeof axis === "number" ? 1 : axis.length));
    const rest = x.shape[Symbol.iterator]();
    return reshape(
      x,
      Array.from({ length: x.rank + axes.length }, (_, i) =>
        axes.includes(i) ? 1 : (rest.next().value as Dim),
      ),
    );
  },
);

export const squeeze: Operator<(x: Operand, axis?: number | readonly number[]) => Expression> = operator(
  compositionRow("squeeze", family, "Drops axes of length 1: those named, or all."),
  (operand: Operand, axis?: number | readonly number[]) => {
    const x = toExpression("squeeze", operand);
    const axes =
      axis === undefined
        ? axesOf("squeeze", undefined, x.rank).filter((i) => x.shape[i] === 1)
        : axesOf("squeeze", axis, x.rank);
    const wide = axes.find((i) => x.shape[i] !== 1);
    if (wide !== undefined)
      throw new GraphError(
        `squeeze: axis ${wide} of ${printType(x.type)} has length ${x.shape[wide]}, not 1`,
      );
    return reshape(
      x,
      x.shape.filter((_, i) => !axes.includes(i)),
    );
  },
);

export const flatten: Operator<(x: Operand) => Expression> = operator(
  compositionRow("flatten", family, "All elements along one axis."),
  (operand: Operand) => reshape(operand, [-1]),
);

export { cast as astype, flatten as ravel };
export { diag, diagonal, eye, identity, tri, tril, triu } from "./diagonal.js";
export { concat, concatenate, hstack, split, stack, vstack } from "./join.js";
export { repeat, roll, tile } from "./repeat.js";
