// Matrix products. Their gradients are matrix products too.
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { count, eachIndex, broadcastStrides, dotProduct, Nd, wrapTo } from "../nd.js";
import { meet } from "../operand.js";
import { operator, tensorRow, type Cut } from "../row.js";
import { broadcast, printType, type Type } from "../shape.js";
import { bound, type Binary } from "./pattern.js";

const matmulRow = tensorRow({
  name: "matmul",
  family: "linear",
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
      .map((_, axis): Cut => ({ inputs: [own(a!, axis), own(b!, axis)], join: { concat: axis } }));
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
