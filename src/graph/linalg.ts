// The dense linear algebra behind the host operators, by ml-matrix in float64. Loaded only when a graph needs it: see host-kernels.ts.
import {
  CholeskyDecomposition,
  EigenvalueDecomposition,
  LuDecomposition,
  Matrix,
  QrDecomposition,
  SingularValueDecomposition,
} from "ml-matrix";
import { GraphError } from "./error.js";

/** One matrix, row by row. */
export interface Dense {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** x with a x = b. Throws a GraphError where `a` is singular. */
export function solve(who: string, a: Dense, b: Dense): Dense {
  const lu = new LuDecomposition(read(a));
  if (a.rows > 0 && lu.isSingular())
    throw new GraphError(
      `${who}: a matrix of ${a.rows} x ${a.columns} is singular, so it has no inverse; lstsq() and pinv() take such matrices`,
    );
  return write(lu.solve(read(b)));
}

export function identity(size: number): Dense {
  const data = new Float64Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return { rows: size, columns: size, data };
}

export function determinant(a: Dense): number {
  return new LuDecomposition(read(a)).determinant;
}

/** The sign of the determinant and the logarithm of its size; 0 and -Infinity where the matrix is singular. */
export function signAndLog(a: Dense): readonly [sign: number, log: number] {
  const lu = new LuDecomposition(read(a));
  const upper = lu.upperTriangularMatrix;
  let sign = permutationSign(lu.pivotPermutationVector);
  let log = 0;
  for (let i = 0; i < a.rows; i++) {
    const value = upper.get(i, i);
    sign *= Math.sign(value);
    log += Math.log(Math.abs(value));
  }
  return [sign, log];
}

/** The lower triangle whose product with its transpose is the symmetric part of `a`. Throws a GraphError where there is none. */
export function cholesky(a: Dense): Dense {
  const decomposition = new CholeskyDecomposition(symmetric(a));
  if (!decomposition.isPositiveDefinite())
    throw new GraphError(
      `cholesky: a matrix of ${a.rows} x ${a.columns} is not positive definite; add a small multiple of the identity to it`,
    );
  return write(decomposition.lowerTriangularMatrix);
}

/** q with orthonormal columns and r upper triangular with a diagonal from 0 on, so that both are unique for a full rank. */
export function qr(a: Dense): readonly [q: Dense, r: Dense] {
  const k = Math.min(a.rows, a.columns);
  const whole = read(a);
  // ml-matrix wants at least as many rows as columns: the left square part of a wide matrix decides q.
  const { orthogonalMatrix: q, upperTriangularMatrix } = new QrDecomposition(
    whole.subMatrix(0, a.rows - 1, 0, k - 1),
  );
  const r = Matrix.zeros(k, a.columns).setSubMatrix(upperTriangularMatrix, 0, 0);
  if (a.columns > k)
    r.setSubMatrix(q.transpose().mmul(whole.subMatrix(0, a.rows - 1, k, a.columns - 1)), 0, k);
  for (let i = 0; i < k; i++)
    if (r.get(i, i) < 0) {
      q.mulColumn(i, -1);
      r.mulRow(i, -1);
    }
  return [write(q), write(r)];
}

/** Singular values from the largest down, with u [m,k] and v [n,k]. The largest element of each column of v is positive. */
export function svd(a: Dense): readonly [u: Dense, s: Float64Array, v: Dense] {
  const wide = a.rows < a.columns;
  const tall = wide ? read(a).transpose() : read(a);
  const { leftSingularVectors, rightSingularVectors, diagonal } = new SingularValueDecomposition(tall);
  const k = Math.min(a.rows, a.columns);
  const [u, v] = wide
    ? [rightSingularVectors, leftSingularVectors]
    : [leftSingularVectors, rightSingularVectors];
  const left = u.subMatrix(0, a.rows - 1, 0, k - 1);
  const right = v.subMatrix(0, a.columns - 1, 0, k - 1);
  for (let i = 0; i < k; i++)
    if (largest(right, i) < 0) {
      left.mulColumn(i, -1);
      right.mulColumn(i, -1);
    }
  return [write(left), Float64Array.from(diagonal.slice(0, k)), write(right)];
}

/** Eigenvalues in ascending order, and eigenvectors as columns, of the symmetric part of `a`. Each vector's largest element is positive. */
export function eigh(a: Dense): readonly [values: Float64Array, vectors: Dense] {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(symmetric(a), {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[i]! - realEigenvalues[j]!);
  const vectors = Matrix.zeros(a.rows, a.rows);
  order.forEach((from, to) => {
    const sign = largest(eigenvectorMatrix, from) < 0 ? -1 : 1;
    for (let row = 0; row < a.rows; row++) vectors.set(row, to, sign * eigenvectorMatrix.get(row, from));
  });
  return [Float64Array.from(order, (i) => realEigenvalues[i]!), write(vectors)];
}

/** The pseudo-inverse; singular values up to `tolerance` times the largest count as 0. */
export function pinv(a: Dense, tolerance: number): Dense {
  const [u, s, v] = svd(a);
  const limit = tolerance * (s[0] ?? 0);
  const scaled = read(v);
  s.forEach((value, i) => {
    scaled.mulColumn(i, value > limit ? 1 / value : 0);
  });
  return write(scaled.mmul(read(u).transpose()));
}

function read({ rows, columns, data }: Dense): Matrix {
  return Matrix.from1DArray(rows, columns, data);
}

function write(matrix: Matrix): Dense {
  return { rows: matrix.rows, columns: matrix.columns, data: Float64Array.from(matrix.to1DArray()) };
}

function symmetric(a: Dense): Matrix {
  const matrix = read(a);
  return Matrix.add(matrix, matrix.transpose()).mul(0.5);
}

function largest(matrix: Matrix, column: number): number {
  return matrix.getColumn(column).reduce((top, value) => (Math.abs(value) > Math.abs(top) ? value : top), 0);
}

function permutationSign(permutation: readonly number[]): number {
  const seen = new Set<number>();
  let sign = 1;
  permutation.forEach((_, start) => {
    for (let at = start, length = 0; !seen.has(at); at = permutation[at]!, length++) {
      seen.add(at);
      if (length > 0) sign = -sign;
    }
  });
  return sign;
}
