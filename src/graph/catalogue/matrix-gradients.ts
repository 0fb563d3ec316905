// The gradient rules of the host operators on matrices, written with products, transposes and solve().
// Giles 2008 (collected matrix derivative results); Townsend 2016 (singular values); Walter and Lehmann 2012 (QR); Golub and Pereyra 1973 (pseudo-inverse).
import { toTensor } from "../../tensor/index.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { constant } from "../operand.js";
import { printType } from "../shape.js";
import type { Backward } from "../row.js";

type Rule = (backward: Backward<unknown>) => readonly (Expression | undefined)[];

export const inv: Rule = ({ y, g }) => {
  const t = swap(y);
  return [t.matmul(g).matmul(t).neg()];
};

export const solve: Rule = ({ inputs: [a], y, g }) => {
  const gb = swap(a!).solve(g);
  return [gb.matmul(swap(y)).neg(), gb];
};

export const det: Rule = ({ inputs: [a], y, g }) => [swap(a!.inv()).mul(g.mul(y).expandDims([-2, -1]))];

export const slogdet: Rule = ({ inputs: [a], grads }) => [
  grads[1] && swap(a!.inv()).mul(grads[1].expandDims([-2, -1])),
];

export const cholesky: Rule = ({ y, g }) => {
  const upper = swap(y);
  const middle = upper.matmul(g).mul(mask(y, (i, j) => (i === j ? 0.5 : Number(i > j))));
  return [symmetrized(swap(upper.solve(swap(upper.solve(middle)))))];
};

export const qr: Rule = ({ inputs: [a], outputs: [q, r], grads: [gq, gr] }) => {
  const [m, n] = a!.shape.slice(-2) as [number, number];
  if (m < n)
    throw new GraphError(
      `gradients: qr of ${printType(a!.type)} has more columns than rows; only the other way round has it a gradient`,
      "unsupported",
    );
  const product = sum(gr && r!.matmul(swap(gr)), gq && swap(gq).matmul(q!).neg());
  const lower = product.mul(mask(product, (i, j) => Number(i >= j)));
  const strict = product.mul(mask(product, (i, j) => Number(i > j)));
  const inner = sum(gq, q!.matmul(lower.add(swap(strict))));
  return [swap(r!.solve(swap(inner)))];
};

export const svd: Rule = ({ outputs: [u, s, vt], grads: [gu, gs, gvt] }) => {
  const v = swap(vt!);
  const columns = s!.expandDims(-2);
  const rows = s!.expandDims(-1);
  const apart = gu || gvt ? inverseGaps(s!.mul(s!)) : undefined;
  const skew = (x: Expression, gx: Expression): Expression => {
    const product = swap(x).matmul(gx);
    return product.sub(swap(product)).mul(apart!);
  };
  const outside = (x: Expression, gx: Expression): Expression => gx.sub(x.matmul(swap(x).matmul(gx)));
  const inner = [
    gu && skew(u!, gu).mul(columns),
    gvt && skew(v, swap(gvt)).mul(rows),
    gs && mask(vt!, (i, j) => Number(i === j), s!).mul(gs.expandDims(-2)),
  ];
  return [
    sum(
      u!.matmul(sum(...inner)).matmul(vt!),
      gu && outside(u!, gu).div(columns).matmul(vt!),
      gvt && u!.matmul(swap(outside(v, swap(gvt)).div(columns))),
    ),
  ];
};

export const eigh: Rule = ({ outputs: [w, v], grads: [gw, gv] }) => {
  const inner = sum(
    gw && mask(v!, (i, j) => Number(i === j)).mul(gw.expandDims(-2)),
    gv && inverseGaps(w!).mul(swap(v!).matmul(gv)),
  );
  return [symmetrized(v!.matmul(inner).matmul(swap(v!)))];
};

/** For matrices whose rank does not change nearby. */
export const pinv: Rule = ({ inputs: [a], y: p, g }) => {
  const pt = swap(p);
  const gt = swap(g);
  const left = gt.matmul(p).matmul(pt);
  const right = pt.matmul(p).matmul(gt);
  return [
    sum(
      pt.matmul(g).matmul(pt).neg(),
      left.sub(a!.matmul(p.matmul(left))),
      right.sub(right.matmul(p).matmul(a!)),
    ),
  ];
};

/** The last two axes exchanged. */
function swap(x: Expression): Expression {
  return x.transpose([...Array.from({ length: x.rank - 2 }, (_, i) => i), x.rank - 1, x.rank - 2]);
}

function symmetrized(x: Expression): Expression {
  return x.add(swap(x)).mul(0.5);
}

function sum(...parts: readonly (Expression | undefined)[]): Expression {
  return parts.filter((part) => part !== undefined).reduce((a, b) => a.add(b));
}

/** 1 / (w[j] - w[i]) off the diagonal, 0 on it. */
function inverseGaps(w: Expression): Expression {
  const diagonal = mask(w, (i, j) => Number(i === j), w);
  const gaps = w.expandDims(-2).sub(w.expandDims(-1)).add(diagonal);
  return gaps.reciprocal().sub(diagonal);
}

/** A constant square by position, as large as the last axis of `sized`, in the dtype of `like`. */
function mask(like: Expression, f: (i: number, j: number) => number, sized = like): Expression {
  const n = sized.shape.at(-1)!;
  if (typeof n !== "number")
    throw new GraphError(
      `gradients: the matrices are ${printType(like.type)}; this gradient wants their size to be known, not "${n}"`,
      "unsupported",
    );
  const values = Float64Array.from({ length: n * n }, (_, at) => f(Math.floor(at / n), at % n));
  return constant(toTensor(values, { dtype: like.dtype, shape: [n, n] }));
}
