// Honest products pass, whatever order they were added in; wrong ones do not.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../tensor/index.js";
import { wrongRow } from "./freivalds.js";

const RUNS = Number(process.env["FLOCKWORK_TEST_RUNS"] ?? 30);

/** Numbers from 0 to 1 that depend on the seed only. */
function seeded(seed: number): () => number {
  let x = seed >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

interface Product {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly c: Tensor;
  readonly m: number;
  readonly n: number;
}

/** A product as float32 arithmetic makes it: each sum forwards, backwards or in blocks. */
function product(seed: number, m: number, k: number, n: number, offset: number): Product {
  const random = seeded(seed);
  const scale = 10 ** (6 * random() - 3);
  const make = (size: number) =>
    Float32Array.from({ length: size }, () => scale * (random() + offset) * (random() < 0.1 ? 100 : 1));
  const [a, b] = [make(m * k), make(k * n)];
  const c = new Float32Array(m * n);
  const block = [1, 8, k][seed % 3]!;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let total = 0;
      for (let from = 0; from < k; from += block) {
        let sum = 0;
        for (let p = from; p < Math.min(k, from + block); p++)
          sum = Math.fround(sum + Math.fround(a[i * k + p]! * b[p * n + j]!));
        total = Math.fround(total + sum);
      }
      c[i * n + j] = total;
    }
  return {
    a: new Tensor("float32", [m, k], a),
    b: new Tensor("float32", [k, n], b),
    c: new Tensor("float32", [m, n], c),
    m,
    n,
  };
}

const made = fc
  .tuple(
    fc.integer({ min: 1, max: 2 ** 31 }),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 90 }),
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom(0, -0.5, -1),
  )
  .map(([seed, m, k, n, offset]) => ({ seed, ...product(seed, m, k, n, offset) }));

describe("wrongRow", () => {
  it("accuses no honest product", () => {
    fc.assert(
      fc.property(made, ({ a, b, c, seed }) => wrongRow(a, b, c, { random: seeded(seed) }) === undefined),
      { numRuns: RUNS * 5 },
    );
  });

  it("finds one wrong element, and says in which row", () => {
    fc.assert(
      fc.property(
        made,
        fc.nat(),
        fc.constantFrom(1.5, -1, 0, NaN, Infinity),
        ({ a, b, c, m, n, seed }, at, by) => {
          const [row, column] = [at % m, (at >> 8) % n];
          const values = Float32Array.from(c.data as Float32Array);
          const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          const value =
            by === 0 || by === -1 || by === 1.5
              ? values[row * n + column]! + (1 + Math.abs(by)) * largest
              : by;
          values[row * n + column] = value;
          if (largest === 0) return;
          expect(wrongRow(a, b, new Tensor("float32", [m, n], values), { random: seeded(seed) })).toBe(row);
        },
      ),
      { numRuns: RUNS * 5 },
    );
  });

  it("finds products of other matrices, shifted and zero ones", () => {
    for (let seed = 1; seed < 20; seed++) {
      const { a, b, c, m, n } = product(seed, 64, 64, 64, -0.5);
      const other = product(seed + 1000, 64, 64, 64, -0.5).c;
      const zero = new Tensor("float32", [m, n], new Float32Array(m * n));
      const turned = new Tensor("float32", [m, n], Float32Array.from(c.data as Float32Array).reverse());
      const options = { random: seeded(seed) };
      for (const wrong of [other, zero, turned]) expect(wrongRow(a, b, wrong, options)).toBeDefined();
      expect(wrongRow(a, b, c, options)).toBeUndefined();
    }
  });

  it("takes stacks of matrices, and leaves alone what is beyond float32", () => {
    const [x, y] = [product(3, 8, 9, 10, 0), product(4, 8, 9, 10, 0)];
    const stack = (of: "a" | "b" | "c", shape: readonly number[]) =>
      new Tensor("float32", [2, ...shape], Float32Array.from([...(x[of].data as Float32Array), ...(y[of].data as Float32Array)])); // prettier-ignore
    const [a, b, c] = [stack("a", [8, 9]), stack("b", [9, 10]), stack("c", [8, 10])];
    expect(wrongRow(a, b, c)).toBeUndefined();
    (c.data as Float32Array)[8 * 10 + 25]! += 1e9;
    expect(wrongRow(a, b, c)).toBe(8 + 2);
    const huge = new Tensor("float32", [1, 2], Float32Array.of(1e38, 1e38));
    const column = new Tensor("float32", [2, 1], Float32Array.of(10, -10));
    expect(wrongRow(huge, column, new Tensor("float32", [1, 1], Float32Array.of(NaN)))).toBeUndefined();
  });
});
