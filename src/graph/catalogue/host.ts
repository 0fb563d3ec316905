// What ONNX has not: dense linear algebra, run by nodes themselves in float64 whatever the dtype. Matrices are the last two axes.
import { GraphError } from "../error.js";
import { apply, applyAll, type Expression } from "../expression.js";
import { linalg } from "../host-kernels.js";
import { broadcastStrides, count, dotProduct, eachIndex, Nd } from "../nd.js";
import { meet, toFloat, type Operand } from "../operand.js";
import { compositionRow, hostRow, operator, type Attrs, type Backward, type Operator } from "../row.js";
import { broadcast, printType, type Type } from "../shape.js";
import type { Dim } from "../dim.js";
import { bound } from "./pattern.js";
import * as rules from "./matrix-gradients.js";
import type { Dense } from "../linalg.js";

export { loadHostKernels } from "../host-kernels.js";

type Gradient<A> = (backward: Backward<A>) => readonly (Expression | undefined)[];
type OfMatrix = Operator<(x: Operand) => Expression>;
type OfMatrices = Operator<(a: Operand, b: Operand) => Expression>;

interface Spec<A> {
  readonly doc: string;
  /** The shapes of the results for one matrix of m x n each, without the leading axes. */
  readonly shapes: (sizes: readonly (readonly [m: Dim, n: Dim])[]) => readonly (readonly Dim[])[];
  /** Floating-point operations for one matrix, as a factor of m * n * min(m, n) of the first operand. */
  readonly work: number;
  readonly square?: boolean;
  readonly run: (matrices: readonly Dense[], attrs: A) => readonly Float64Array[];
  readonly gradient: Gradient<A>;
  readonly attributes?: Readonly<Record<keyof A & string, "float">>;
}

/** The row of an operator on matrices; leading axes broadcast. */
function matrixRow<A extends Attrs = Record<never, never>>(name: string, spec: Spec<A>) {
  return hostRow<A>({
    name,
    family: "host",
    version: 1,
    doc: spec.doc,
    ...(spec.attributes && { attributes: spec.attributes }),
    infer: (inputs) => {
      for (const x of inputs) expectMatrix(name, x);
      if (spec.square) expectSquare(name, inputs[0]!);
      const lead = broadcast(name, ...inputs.map((x) => x.shape.slice(0, -2)));
      return spec
        .shapes(inputs.map((x) => x.shape.slice(-2) as unknown as readonly [Dim, Dim]))
        .map((shape) => ({ dtype: inputs[0]!.dtype, shape: [...lead, ...shape] }));
    },
    flops: ({ inputs: [x] }) => {
      const [m, n] = bound(x!).slice(-2) as [number, number];
      return spec.work * count(bound(x!)) * Math.min(m, n);
    },
    gradient: spec.gradient,
    evaluate: (inputs, attrs, { outputs }) => {
      const lead = broadcast(name, ...inputs.map((x) => x.shape.slice(0, -2))) as readonly number[];
      const results = outputs.map((type) => Nd.zeros(type.dtype, bound(type)));
      const strides = inputs.map((x) => broadcastStrides(x.shape.slice(0, -2), lead));
      eachIndex(lead, (index, flat) => {
        const matrices = inputs.map((x, i): Dense => {
          const [rows, columns] = x.shape.slice(-2) as [number, number];
          const at = dotProduct(index, strides[i]!) * rows * columns;
          return { rows, columns, data: x.data.subarray(at, at + rows * columns) };
        });
        spec.run(matrices, attrs).forEach((part, i) => {
          results[i]!.data.set(part, flat * part.length);
        });
      });
      return results;
    },
  });
}

function ofMatrix(name: string, row: ReturnType<typeof matrixRow>): OfMatrix {
  return operator(row, (x: Operand) => apply(row, [toFloat(name, x)]));
}

export const inv: OfMatrix = ofMatrix(
  "inv",
  matrixRow("inv", {
    doc: "The inverse of square matrices; fails where one is singular.",
    square: true,
    shapes: ([size]) => [size!],
    work: 2,
    run: ([a]) => [linalg("inv").solve("inv", a!, linalg("inv").identity(a!.rows)).data],
    gradient: rules.inv,
  }),
);

const solveRow = matrixRow("solve", {
  doc: "x with a x = b, for square matrices a; b holds a column for each x, or is one vector. Fails where a is singular.",
  square: true,
  shapes: ([a, b]) => {
    if (a![0] !== b![0])
      throw new GraphError(
        `solve: a is ${a![0]} x ${a![1]} and b is ${b![0]} x ${b![1]}; b must have ${a![0]} rows`,
      );
    return [[a![1], b![1]]];
  },
  work: 2 / 3,
  run: ([a, b]) => [linalg("solve").solve("solve", a!, b!).data],
  gradient: rules.solve,
});
export const solve: OfMatrices = operator(solveRow, (first: Operand, second: Operand) => {
  const [a, b] = floats("solve", first, second);
  return b.rank === 1 ? apply(solveRow, [a, b.expandDims(1)]).squeeze(-1) : apply(solveRow, [a, b]);
});

export const det: OfMatrix = ofMatrix(
  "det",
  matrixRow("det", {
    doc: "The determinant of square matrices. Its gradient needs the inverse, so it fails where a matrix is singular.",
    square: true,
    shapes: () => [[]],
    work: 2 / 3,
    run: ([a]) => [Float64Array.of(linalg("det").determinant(a!))],
    gradient: rules.det,
  }),
);

const slogdetRow = matrixRow("slogdet", {
  doc: "The sign of the determinant, and the logarithm of its size, which does not overflow.",
  square: true,
  shapes: () => [[], []],
  work: 2 / 3,
  run: ([a]) =>
    linalg("slogdet")
      .signAndLog(a!)
      .map((value) => Float64Array.of(value)),
  gradient: rules.slogdet,
});
export const slogdet: Operator<(x: Operand) => readonly [sign: Expression, log: Expression]> = operator(
  slogdetRow,
  (x: Operand) => applyAll(slogdetRow, [toFloat("slogdet", x)]) as [Expression, Expression],
);

export const cholesky: OfMatrix = ofMatrix(
  "cholesky",
  matrixRow("cholesky", {
    doc: "The lower triangle L with L Lᵀ = (x + xᵀ) / 2; fails where that is not positive definite.",
    square: true,
    shapes: ([size]) => [size!],
    work: 1 / 3,
    run: ([a]) => [linalg("cholesky").cholesky(a!).data],
    gradient: rules.cholesky,
  }),
);

const qrRow = matrixRow("qr", {
  doc: "q with orthonormal columns and r upper triangular with a diagonal from 0 on, with q r = x. Its gradient wants no more columns than rows.",
  shapes: ([[m, n] = [0, 0]]) => {
    const k = shorter("qr", m, n);
    return [
      [m, k],
      [k, n],
    ];
  },
  work: 4,
  run: ([a]) =>
    linalg("qr")
      .qr(a!)
      .map(({ data }) => data),
  gradient: rules.qr,
});
export const qr: Operator<(x: Operand) => readonly [q: Expression, r: Expression]> = operator(
  qrRow,
  (x: Operand) => applyAll(qrRow, [toFloat("qr", x)]) as [Expression, Expression],
);

const svdRow = matrixRow("svd", {
  doc: "u, s and vᵀ with u diag(s) vᵀ = x, the singular values s from the largest down. Gradients by u and v want distinct values.",
  shapes: ([[m, n] = [0, 0]]) => {
    const k = shorter("svd", m, n);
    return [[m, k], [k], [k, n]];
  },
  work: 20,
  run: ([a]) => {
    const [u, s, v] = linalg("svd").svd(a!);
    return [u.data, s, transposed(v)];
  },
  gradient: rules.svd,
});
export const svd: Operator<(x: Operand) => readonly [u: Expression, s: Expression, vt: Expression]> =
  operator(
    svdRow,
    (x: Operand) => applyAll(svdRow, [toFloat("svd", x)]) as [Expression, Expression, Expression],
  );

const eighRow = matrixRow("eigh", {
  doc: "The eigenvalues, ascending, and the eigenvectors (as columns) of (x + xᵀ) / 2. Gradients by the vectors want distinct values.",
  square: true,
  shapes: ([[m] = [0]]) => [[m], [m, m]],
  work: 9,
  run: ([a]) => {
    const [values, vectors] = linalg("eigh").eigh(a!);
    return [values, vectors.data];
  },
  gradient: rules.eigh,
});
export const eigh: Operator<(x: Operand) => readonly [values: Expression, vectors: Expression]> = operator(
  eighRow,
  (x: Operand) => applyAll(eighRow, [toFloat("eigh", x)]) as [Expression, Expression],
);

type ToleranceAttrs = Readonly<Record<"tolerance", number>>;
/** Singular values below this share of the largest are rounding errors of the dtype. */
const ROUNDING: Readonly<Record<string, number>> = { float16: 1e-3, float32: 1e-6, float64: 1e-14 };

const pinvRow = matrixRow<ToleranceAttrs>("pinv", {
  doc: "The pseudo-inverse; singular values up to `tolerance` times the largest count as 0.",
  attributes: { tolerance: "float" },
  shapes: ([[m, n] = [0, 0]]) => [[n, m]],
  work: 22,
  run: ([a], { tolerance }) => [linalg("pinv").pinv(a!, tolerance).data],
  gradient: rules.pinv,
});
export const pinv: Operator<(x: Operand, tolerance?: number) => Expression> = operator(
  pinvRow,
  (operand: Operand, tolerance?: number) => {
    const x = toFloat("pinv", operand);
    return apply(pinvRow, [x], { tolerance: tolerance ?? ROUNDING[x.dtype]! });
  },
);

export const lstsq: Operator<(a: Operand, b: Operand, tolerance?: number) => Expression> = operator(
  compositionRow(
    "lstsq",
    "host",
    "The x for which a x comes nearest to b, the shortest where many do; b holds a column for each x, or is one vector.",
  ),
  (first: Operand, second: Operand, tolerance?: number) => {
    const [a, b] = floats("lstsq", first, second);
    return a.pinv(tolerance).matmul(b);
  },
);

function floats(who: string, ...operands: readonly Operand[]): [Expression, Expression] {
  return meet(who, ...operands).map((x) => toFloat(who, x)) as [Expression, Expression];
}

function expectMatrix(who: string, x: Type): void {
  if (x.shape.length < 2)
    throw new GraphError(`${who}: ${printType(x)} is no matrix; it must have at least two axes`);
}

function expectSquare(who: string, x: Type): void {
  const [m, n] = x.shape.slice(-2);
  if (m !== n)
    throw new GraphError(`${who}: ${printType(x)} is not square: its last two dimensions are ${m} and ${n}`);
}

function shorter(who: string, m: Dim, n: Dim): Dim {
  if (m === n) return m;
  if (typeof m === "number" && typeof n === "number") return Math.min(m, n);
  throw new GraphError(
    `${who}: the matrices are ${m} x ${n}; both dimensions must be known, since the results have the shorter one`,
  );
}

function transposed({ rows, columns, data }: Dense): Float64Array {
  return data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
}
