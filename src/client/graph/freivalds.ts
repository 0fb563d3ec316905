// Freivalds' check (1977) of a matrix product: C r = A (B r) for random r, in the time of a few passes over the matrices, where
// computing C again takes a pass for each of its columns. Pure.
import type { Tensor } from "../../tensor/index.js";

export interface FreivaldsOptions {
  /** A wrong row passes a round only where its errors cancel along a random direction to within rounding. Default 3. */
  readonly rounds?: number;
  /** Numbers from 0 to 1 that nobody can foretell who made C. Default Math.random. */
  readonly random?: () => number;
}

/** Half the distance of float32 numbers from 1 on. */
const UNIT = 2 ** -24;
const LARGEST = 3.4e38;

/**
 * The first row of `c` that can not be a row of `a` times `b` as float32 arithmetic makes it, in whatever order it adds;
 * undefined where all can. Shapes [..., m, k], [..., k, n], [..., m, n] with equal leading dimensions; rows count through all
 * of them. What is smaller than the rounding of a worst sum passes.
 */
export function wrongRow(
  a: Tensor,
  b: Tensor,
  c: Tensor,
  { rounds = 3, random = Math.random }: FreivaldsOptions = {},
): number | undefined {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, c.shape.at(-1)!];
  const batches = a.size / (m * k);
  for (let batch = 0; batch < batches; batch++) {
    const left = (a.data as Float32Array).subarray(batch * m * k, (batch + 1) * m * k);
    const right = (b.data as Float32Array).subarray(batch * k * n, (batch + 1) * k * n);
    const product = (c.data as Float32Array).subarray(batch * m * n, (batch + 1) * m * n);
    const row = wrongIn(left, right, product, [m, k, n], rounds, random);
    if (row !== undefined) return batch * m + row;
  }
  return undefined;
}

/** The first column in which row `row` of `c` is not that of `a` times `b`, as wrongRow() counts rows; two dimensions. */
export function wrongColumn(a: Tensor, b: Tensor, c: Tensor, row: number): number | undefined {
  const [k, n] = [a.shape.at(-1)!, c.shape.at(-1)!];
  const [left, right, product] = [a.data, b.data, c.data] as unknown as [Numbers, Numbers, Numbers];
  for (let column = 0; column < n; column++) {
    let [sum, size] = [0, 0];
    for (let i = 0; i < k; i++) {
      const part = left[row * k + i]! * right[i * n + column]!;
      sum += part;
      size += Math.abs(part);
    }
    const tolerance = (k + 2) * UNIT * size + Number.MIN_VALUE;
    if (size < LARGEST && !(Math.abs(product[row * n + column]! - sum) <= tolerance)) return column;
  }
  return undefined;
}

type Numbers = ArrayLike<number>;

function wrongIn(
  a: Numbers,
  b: Numbers,
  c: Numbers,
  [m, k, n]: readonly [number, number, number],
  rounds: number,
  random: () => number,
): number | undefined {
  // |A| (|B| 1) bounds what the sums of a row are made of, whatever r is between -1 and 1.
  const size = times(a, times(b, new Float64Array(n).fill(1), k, n, Math.abs), m, k, Math.abs);
  for (let round = 0; round < rounds; round++) {
    const r = Float64Array.from({ length: n }, () => 2 * random() - 1);
    const expected = times(a, times(b, r, k, n), m, k);
    const got = times(c, r, m, n);
    for (let row = 0; row < m; row++) {
      // Beyond float32, or with infinities inside, an honest row is not finite either.
      if (!(size[row]! < LARGEST)) continue;
      const tolerance = (k + 2) * UNIT * size[row]! + Number.MIN_VALUE;
      if (!(Math.abs(got[row]! - expected[row]!) <= tolerance)) return row;
    }
  }
  return undefined;
}

/** A matrix times a vector, in float64. */
function times(
  matrix: Numbers,
  vector: Float64Array,
  rows: number,
  columns: number,
  of: (value: number) => number = (value) => value,
): Float64Array {
  const out = new Float64Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += of(matrix[at++]!) * vector[j]!;
    out[i] = sum;
  }
  return out;
}
