// Diagonals and triangles of matrices: the last two axes, or two that are named.
import { fromNumbers, Tensor, type DType } from "../../tensor/index.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { Nd } from "../nd.js";
import { constant, toExpression, type Operand } from "../operand.js";
import { compositionRow, maker, operator, tensorRow, type Maker, type Operator } from "../row.js";
import { axesOf, axisOf, printType } from "../shape.js";

const family = "shape" as const;

export interface DiagonalOptions {
  /** Above the main diagonal; below where negative. */
  readonly offset?: number;
  /** Rows and columns; the last two axes unless told. */
  readonly axes?: readonly [number, number];
}

export const diagonal: Operator<(x: Operand, options?: DiagonalOptions) => Expression> = operator(
  compositionRow(
    "diagonal",
    family,
    "The diagonal of a matrix, or of each in a stack of them, as the last axis.",
  ),
  (operand: Operand, { offset = 0, axes = [-2, -1] }: DiagonalOptions = {}) => {
    const x = toExpression("diagonal", operand);
    const [row, column] = axes.map((axis) => axisOf("diagonal", axis, x.rank)) as [number, number];
    const rest = axesOf("diagonal", undefined, x.rank).filter((axis) => axis !== row && axis !== column);
    if (rest.length !== x.rank - 2)
      throw new GraphError(`diagonal: axes [${axes.join()}] of ${printType(x.type)} are one; name two`);
    const [rows, columns] = [x.shape[row]!, x.shape[column]!];
    if (typeof rows === "string" || typeof columns === "string")
      throw new GraphError(
        `diagonal: ${printType(x.type)} has ${rows} rows and ${columns} columns; their numbers must be known`,
      );
    const flat = x
      .transpose([...rest, row, column])
      .reshape([...rest.map((axis) => x.shape[axis]!), rows * columns]);
    const length = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)));
    if (length === 0) return flat.slice([0], [0], [-1]);
    const start = offset >= 0 ? offset : -offset * columns;
    return flat.slice([start], [start + (length - 1) * (columns + 1) + 1], [-1], [columns + 1]);
  },
);

export const diag: Operator<(x: Operand, offset?: number) => Expression> = operator(
  compositionRow(
    "diag",
    family,
    "A vector as the diagonal of a square matrix of zeros; of a matrix, its diagonal.",
  ),
  (operand: Operand, offset = 0) => {
    const x = toExpression("diag", operand);
    if (x.rank === 2) return diagonal(x, { offset });
    const length = x.shape[0];
    if (x.rank !== 1 || typeof length !== "number")
      throw new GraphError(`diag: ${printType(x.type)} is no vector of known length, and no matrix`);
    const n = length + Math.abs(offset);
    const start = offset >= 0 ? offset : -offset * n;
    return x.unslice([n * n], [start], [0], [n + 1]).reshape([n, n]);
  },
);

interface TriangleAttrs {
  readonly upper: number;
  readonly k: number;
}

const triangleRow = (name: string, doc: string) =>
  tensorRow<TriangleAttrs>({
    name,
    family,
    doc,
    onnx: "Trilu",
    attributes: { upper: "int" },
    operands: { k: "int" },
    kernels: ["float32", "float64", "int64", "bool"],
    infer: ([x]) => {
      if (x!.shape.length < 2)
        throw new GraphError(`${name}: ${printType(x!)} is no matrix; it must have two axes or more`);
      return [x!];
    },
    flops: () => 0,
    gradient: ({ g, attrs: { upper, k } }) => [upper ? triu(g, k) : tril(g, k)],
    evaluate: ([x], { upper, k }) => {
      const [rows, columns] = x!.shape.slice(-2) as [number, number];
      const inside = (at: number): boolean => {
        const over = (at % columns) - (Math.floor(at / columns) % rows) - k;
        return upper ? over >= 0 : over <= 0;
      };
      return [
        new Nd(
          x!.dtype,
          x!.shape,
          x!.data.map((value, at) => (inside(at) ? value : 0)),
        ),
      ];
    },
    cuts: ({ inputs: [x] }) =>
      x!.shape.slice(0, -2).map((_, axis) => ({ inputs: [axis], join: { concat: axis } })),
  });

type Triangle = Operator<(x: Operand, k?: number) => Expression>;
const trilRow = triangleRow("tril", "A matrix, or a stack of them, with zeros above the k-th diagonal.");
export const tril: Triangle = operator(trilRow, (x: Operand, k = 0) =>
  apply(trilRow, [toExpression("tril", x)], { upper: 0, k }),
);
const triuRow = triangleRow("triu", "A matrix, or a stack of them, with zeros below the k-th diagonal.");
export const triu: Triangle = operator(triuRow, (x: Operand, k = 0) =>
  apply(triuRow, [toExpression("triu", x)], { upper: 1, k }),
);

export interface EyeOptions {
  /** As many as rows unless told. */
  readonly columns?: number;
  readonly offset?: number;
  readonly dtype?: DType;
}
type Matrix = Maker<(rows: number, options?: EyeOptions) => Expression>;

export const eye: Matrix = maker(
  compositionRow("eye", family, "A matrix with 1 on its diagonal, 0 elsewhere."),
  (rows: number, options: EyeOptions = {}) => filled(rows, options, (over) => over === 0),
);
export const tri: Matrix = maker(
  compositionRow("tri", family, "A matrix with 1 on and below its diagonal, 0 above."),
  (rows: number, options: EyeOptions = {}) => filled(rows, options, (over) => over <= 0),
);

/** 1 where `test` holds of how far a place is over the diagonal. */
function filled(
  rows: number,
  { columns = rows, offset = 0, dtype = "float32" }: EyeOptions,
  test: (over: number) => boolean,
): Expression {
  const data = Array.from({ length: rows * columns }, (_, at) =>
    Number(test((at % columns) - Math.floor(at / columns) - offset)),
  );
  return constant(new Tensor(dtype, [rows, columns], fromNumbers(dtype, data)));
}

export { eye as identity };
