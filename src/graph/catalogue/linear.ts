// Matrix products. Their gradients are matrix products too.
import { mulDims, type Dim, type Shape } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { count, eachIndex, broadcastStrides, dotProduct, Nd, wrapTo } from "../nd.js";
import { meet, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Cut, type Operator } from "../row.js";
import { axisOf, broadcast, printType, type Type } from "../shape.js";
import { contract } from "./contraction.js";
import type { DiagonalOptions } from "./diagonal.js";
import { bound, type Binary } from "./pattern.js";

const family = "linear" as const;

const matmulRow = tensorRow({
  name: "matmul",
  family,
  doc: "The matrix product over the last two axes; leading axes broadcast.",
  onnx: "MatMul",
  kernels: ["float32", "float64", "int32", "int64"],
  infer: ([a, b]) => {
    const inner = a!.shape.at(-1)!;
    if (inner !== b!.shape.at(-2))
      throw new GraphError(
        `matmul: ${printType(a!)} and ${printType(b!)} do not fit: the last dimension of the first is ${inner}, ` +
          `the second wants ${b!.shape.at(-2)}; shapes are [..., m, k] and [..., k, n]`,
      );
    return [
      {
        dtype: a!.dtype,
        shape: [
          ...broadcast("matmul", a!.shape.slice(0, -2), b!.shape.slice(0, -2)),
          a!.shape.at(-2)!,
          b!.shape.at(-1)!,
        ],
      },
    ];
  },
  flops: ({ inputs: [a], outputs: [y] }) => 2 * count(bound(y!)) * bound(a!).at(-1)!,
  gradient: ({ inputs: [a, b], g }) => {
    const left = matmul(g, swap(b!));
    // One weight for a batch of matrices: its gradient is one product over all rows, not a batch of products to be summed.
    if (b!.rank === 2 && a!.rank > 2)
      return [left, matmul(swap(a!.reshape([-1, a!.shape.at(-1)!])), g.reshape([-1, g.shape.at(-1)!]))];
    return [left, matmul(swap(a!), g)];
  },
  evaluate: ([a, b], _, { outputs: [y] }) => [multiply(a!, b!, y!)],
  cuts: ({ inputs: [a, b], outputs: [y] }) => {
    const rank = y!.shape.length;
    const own = (type: Type, axis: number): number | null => {
      const at = axis - rank + type.shape.length;
      return at < 0 || type.shape[at] === 1 ? null : at;
    };
    const batch = y!.shape
      .slice(0, -2)
      .map((_, axis): Cut => ({ inputs: [own(a!, axis), own(b!, axis)], join: { concat: axis } }))
      .filter(({ inputs }) => inputs.some((axis) => axis !== null));
    return [
      { inputs: [a!.shape.length - 2, null], join: { concat: rank - 2 } },
      { inputs: [null, b!.shape.length - 1], join: { concat: rank - 1 } },
      ...batch,
      { inputs: [a!.shape.length - 1, b!.shape.length - 2], join: "add" },
    ];
  },
});

/** A vector counts as a row on the left and as a column on the right, as in NumPy. */
export const matmul: Binary = operator(matmulRow, (left, right) => {
  const [a, b] = meet("matmul", left, right) as [Expression, Expression];
  if (a.rank === 0 || b.rank === 0)
    throw new GraphError(
      `matmul: ${printType(a.type)} and ${printType(b.type)}: a scalar is no matrix; use mul`,
    );
  if (a.rank > 1 && b.rank > 1) return apply(matmulRow, [a, b]);
  const y = apply(matmulRow, [a.rank === 1 ? a.expandDims(0) : a, b.rank === 1 ? b.expandDims(1) : b]);
  return y.squeeze([...(a.rank === 1 ? [-2] : []), ...(b.rank === 1 ? [-1] : [])]);
});

function swap(x: Expression): Expression {
  return x.transpose([...Array.from({ length: x.rank - 2 }, (_, i) => i), x.rank - 1, x.rank - 2]);
}

function multiply(a: Nd, b: Nd, type: Type): Nd {
  const y = Nd.zeros(a.dtype, bound(type));
  const [m, n] = y.shape.slice(-2) as [number, number];
  const k = a.shape.at(-1)!;
  const batch = y.shape.slice(0, -2);
  const [fromA, fromB] = [a, b].map((x) => broadcastStrides(x.shape.slice(0, -2), batch)) as [
    number[],
    number[],
  ];
  eachIndex(batch, (index, flat) => {
    const at = dotProduct(index, fromA) * m * k;
    const bt = dotProduct(index, fromB) * k * n;
    for (let i = 0; i < m; i++)
      for (let p = 0; p < k; p++) {
        const value = a.data[at + i * k + p]!;
        for (let j = 0; j < n; j++) y.data[(flat * m + i) * n + j]! += value * b.data[bt + p * n + j]!;
      }
  });
  return new Nd(y.dtype, y.shape, y.data.map(wrapTo(y.dtype)));
}

export const dot: Binary = operator(
  compositionRow(
    "dot",
    family,
    "Vectors: their inner product. Otherwise the sum of products over the last axis of a and the last but one of b; a scalar multiplies.",
  ),
  (left: Operand, right: Operand) => {
    const [a, b] = meet("dot", left, right) as [Expression, Expression];
    if (a.rank === 0 || b.rank === 0) return a.mul(b);
    return a.rank <= 2 && b.rank <= 2 ? matmul(a, b) : tensordot(a, b, [[-1], [b.rank === 1 ? -1 : -2]]);
  },
);

export const vdot: Binary = operator(
  compositionRow("vdot", family, "The sum of the products of all elements, in their order."),
  (a: Operand, b: Operand) => {
    const [x, y] = meet("vdot", a, b) as [Expression, Expression];
    return matmul(x.flatten(), y.flatten());
  },
);

export const inner: Binary = operator(
  compositionRow("inner", family, "The sum of products over the last axes of both; a scalar multiplies."),
  (left: Operand, right: Operand) => {
    const [a, b] = meet("inner", left, right) as [Expression, Expression];
    return a.rank === 0 || b.rank === 0 ? a.mul(b) : tensordot(a, b, [[-1], [-1]]);
  },
);

export const outer: Binary = operator(
  compositionRow("outer", family, "Every element of a times every element of b, both flattened: [a, b]."),
  (left: Operand, right: Operand) => {
    const [a, b] = meet("outer", left, right) as [Expression, Expression];
    return a.reshape([-1, 1]).mul(b.reshape([1, -1]));
  },
);

export const kron: Binary = operator(
  compositionRow("kron", family, "The Kronecker product: b, scaled by each element of a, in its place."),
  (left: Operand, right: Operand) => {
    const [a, b] = meet("kron", left, right) as [Expression, Expression];
    const rank = Math.max(a.rank, b.rank);
    const shape = ({ shape: own }: Expression): Shape => [
      ...new Array<Dim>(rank - own.length).fill(1),
      ...own,
    ];
    const [m, n] = [shape(a), shape(b)];
    const apart = a.reshape(m.flatMap((dim) => [dim, 1])).mul(b.reshape(n.flatMap((dim) => [1, dim])));
    return apart.reshape(m.map((dim, i) => mulDims(dim, n[i]!)));
  },
);

/** So many last axes of the first with first ones of the second, or the axes of each. */
export type TensordotAxes = number | readonly [readonly number[], readonly number[]];

export const tensordot: Operator<(a: Operand, b: Operand, axes?: TensordotAxes) => Expression> = operator(
  compositionRow(
    "tensordot",
    family,
    "The sum of products over pairs of axes: `axes` names them, or says how many last ones of a meet the first ones of b.",
  ),
  (left: Operand, right: Operand, axes: TensordotAxes = 2) => {
    const [a, b] = meet("tensordot", left, right) as [Expression, Expression];
    const [from, to] =
      typeof axes === "number"
        ? [Array.from({ length: axes }, (_, i) => i - axes), Array.from({ length: axes }, (_, i) => i)]
        : axes;
    const [own, other] = [
      from.map((axis) => axisOf("tensordot", axis, a.rank)),
      to.map((axis) => axisOf("tensordot", axis, b.rank)),
    ];
    if (own.length !== other.length || own.some((axis, i) => a.shape[axis] !== b.shape[other[i]!]))
      throw new GraphError(
        `tensordot: axes [${from.join()}] of ${printType(a.type)} and [${to.join()}] of ${printType(b.type)} do not pair up: they must be equally many and long`,
      );
    const labels = a.shape.map((_, i) => `a${i}`);
    const others = b.shape.map((_, i) => (other.includes(i) ? labels[own[other.indexOf(i)]!]! : `b${i}`));
    const kept = [...labels, ...others].filter(
      (label) => !(labels.includes(label) && others.includes(label)),
    );
    return contract(
      [
        { x: a, labels },
        { x: b, labels: others },
      ],
      kept,
    );
  },
);

export const trace: Operator<(x: Operand, options?: DiagonalOptions) => Expression> = operator(
  compositionRow("trace", family, "The sum of the diagonal of a matrix, or of each in a stack of them."),
  (operand: Operand, options: DiagonalOptions = {}) =>
    toExpression("trace", operand).diagonal(options).sum(-1),
);

export const matrixPower: Operator<(x: Operand, n: number) => Expression> = operator(
  compositionRow(
    "matrixPower",
    family,
    "A square matrix times itself, n times over, by repeated squaring; n from 1.",
  ),
  (operand: Operand, n: number) => {
    const x = toExpression("matrixPower", operand);
    if (!Number.isInteger(n) || n < 1)
      throw new GraphError(
        `matrixPower: n is ${n}; it must be a whole number from 1 (invert first for others)`,
      );
    const half = n > 1 ? x.matrixPower(Math.floor(n / 2)) : x;
    return n === 1 ? x : n % 2 === 0 ? half.matmul(half) : half.matmul(half).matmul(x);
  },
);
