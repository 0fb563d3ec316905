// Laws of the host operators over random matrices, known values, and what users read when a matrix does not fit.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { gradients } from "../gradient.js";
import type { Expression } from "../expression.js";
import { evaluate } from "../interpreter.js";
import { input, tensor } from "../leaf.js";
import { loadHostKernels } from "./host.js";

beforeAll(loadHostKernels);

const RUNS = Number(process.env.FLOCKWORK_RUNS ?? 50);

/** Random matrices of random sizes; some of rank one, some of zeros. */
const matrices = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.boolean())
  .chain(([m, n, low]) =>
    fc.array(fc.integer({ min: -50, max: 50 }), { minLength: m * n, maxLength: m * n }).map((values) =>
      tensor(
        Float64Array.from(values, (v, i) => (low ? values[i % n]! * (Math.floor(i / n) + 1) : v) / 10),
        { shape: [m, n] },
      ),
    ),
  );

function values(x: Expression): number[] {
  return [...evaluate([x])[0]!.data];
}

function expectNear(actual: Expression, expected: Expression | readonly number[], digits = 8): void {
  const wanted = Array.isArray(expected) ? expected : values(expected as Expression);
  values(actual).forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, digits);
  });
}

function eye(n: number): number[] {
  return Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
}

describe("laws", () => {
  it("q r = x, qᵀ q = 1, and r is upper triangular with a diagonal from 0 on", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const [q, r] = x.qr();
        expectNear(q.matmul(r), x);
        const k = r.shape[0] as number;
        const n = r.shape[1] as number;
        values(r).forEach((value, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          if (i > j) expect(value).toBeCloseTo(0, 10);
          if (i === j) expect(value).toBeGreaterThanOrEqual(0);
        });
        expectNear(q.transpose().matmul(q), eye(k));
      }),
      { numRuns: RUNS },
    );
  });

  it("u diag(s) vᵀ = x with s descending and from 0 on, v orthonormal", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const [u, s, vt] = x.svd();
        expectNear(u.mul(s).matmul(vt), x);
        const sizes = values(s);
        sizes.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(0);
          if (i > 0) expect(value).toBeLessThanOrEqual(sizes[i - 1]!);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it("v diag(w) vᵀ = the symmetric part, vᵀ v = 1, w ascending", () => {
    fc.assert(
      fc.property(matrices, (each) => {
        const x = each.matmul(each.transpose()).sub(3);
        const [w, v] = x.eigh();
        expectNear(v.mul(w).matmul(v.transpose()), x, 7);
        expectNear(v.transpose().matmul(v), eye(x.shape[0] as number));
        const order = values(w);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
      { numRuns: RUNS },
    );
  });

  it("the four of Penrose hold for pinv, whatever the rank", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const p = x.pinv(1e-9);
        expectNear(x.matmul(p).matmul(x), x, 6);
        expectNear(p.matmul(x).matmul(p), p, 6);
        expectNear(x.matmul(p), x.matmul(p).transpose(), 6);
        expectNear(p.matmul(x), p.matmul(x).transpose(), 6);
      }),
      { numRuns: RUNS },
    );
  });

  it("inverse, solution, determinant and Cholesky agree with one another", () => {
    fc.assert(
      fc.property(matrices, (each) => {
        const n = each.shape[0] as number;
        const x = each.matmul(each.transpose()).add(tensor(Float64Array.from(eye(n)), { shape: [n, n] }));
        expectNear(x.matmul(x.inv()), eye(n), 6);
        expectNear(x.matmul(x.solve(each)), each, 6);
        const lower = x.cholesky();
        expectNear(lower.matmul(lower.transpose()), x, 6);
        const [sign, log] = x.slogdet();
        expectNear(sign, [1]);
        expectNear(log, [Math.log(values(x.det())[0]!)], 6);
        expectNear(log, [values(x.eigh()[0]).reduce((sum, w) => sum + Math.log(w), 0)], 6);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("known values", () => {
  it("determinants, their signs and their size beyond what a float holds", () => {
    expectNear(
      tensor([
        [1, 2],
        [3, 4],
      ]).det(),
      [-2],
    );
    expectNear(
      tensor([
        [0, 1],
        [1, 0],
      ]).det(),
      [-1],
    );
    expectNear(
      tensor([
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
      ]).slogdet()[0],
      [1],
    );
    const [sign, log] = tensor(
      Float64Array.from(eye(400), (v) => v * -10),
      { shape: [400, 400] },
    ).slogdet();
    expectNear(sign, [1]);
    expectNear(log, [400 * Math.log(10)]);
    expectNear(
      tensor([
        [1, 2],
        [2, 4],
      ]).det(),
      [0],
    );
    expect(
      values(
        tensor([
          [1, 2],
          [2, 4],
        ]).slogdet()[1],
      ),
    ).toEqual([-Infinity]);
  });

  it("a line through points, and the shortest of many solutions", () => {
    const a = tensor(Float64Array.of(0, 1, 1, 1, 2, 1, 3, 1), { shape: [4, 2] });
    expectNear(a.lstsq(tensor(Float64Array.of(-1, 0.2, 0.9, 2.1))), [1, -0.95]);
    expectNear(tensor([[1, 1]]).lstsq([2]), [1, 1], 6);
  });

  it("singular values have a gradient even where two are equal", () => {
    const x = input("x", "float64", [2, 2]);
    const g = gradients(x.svd()[1].sum(), [x])[0]!;
    const feeds = { x: evaluate([tensor(Float64Array.of(2, 0, 0, 2), { shape: [2, 2] })])[0]! };
    expect([...evaluate([g], feeds)[0]!.data]).toEqual([1, 0, 0, 1]);
  });
});

describe("what does not fit is told where it is built, and what cannot be is told where it runs", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  it.each([
    [() => x.inv(), "inv: float32 [2,3] is not square: its last two dimensions are 2 and 3"],
    [() => tensor([1, 2]).det(), "det: float32 [2] is no matrix"],
    [
      () =>
        tensor([
          [1, 2],
          [3, 4],
        ]).solve([1, 2, 3]),
      "solve: a is 2 x 2 and b is 3 x 1; b must have 2 rows",
    ],
    [
      () => input("x", "float32", ["n", 3]).svd(),
      "svd: the matrices are n x 3; both dimensions must be known",
    ],
    [
      () =>
        values(
          tensor([
            [1, 2],
            [2, 4],
          ]).inv(),
        ),
      "inv: a matrix of 2 x 2 is singular",
    ],
    [
      () =>
        values(
          tensor([
            [1, 2],
            [2, 1],
          ]).cholesky(),
        ),
      "cholesky: a matrix of 2 x 2 is not positive definite",
    ],
    [() => gradients(x.qr()[1].sum(), [x]), "qr of float32 [2,3] has more columns than rows"],
  ] as const)("%#", (make, message) => {
    expect(make).toThrow(message);
  });
});
