// Trigonometric and hyperbolic functions, and those of small differences (expm1, log1p). No engine has most of them in float64: there they are
// written with operators that have it, never through float32 alone.
import { apply, type Expression } from "../expression.js";
import { SINGLE } from "../kernels.js";
import { mapBroadcast } from "../nd.js";
import { meet, toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Backward } from "../row.js";
import { elements, elementwiseCuts, unary, type Binary, type Unary } from "./pattern.js";
import { erf as erfNumber, erfOf, ERF_SLOPE } from "../erf.js";

const family = "elementwise" as const;

interface Spec {
  readonly doc: string;
  readonly f: (x: number) => number;
  readonly derivative: (x: Expression, y: Expression, g: Expression) => Expression;
  /** The same in float64, of operators that have it. */
  readonly double: (x: Expression) => Expression;
}

/** An operator with kernels for float32 only, and its composition for float64. */
function single(name: string, onnx: string, { doc, f, derivative, double }: Spec): Unary {
  const row = tensorRow({
    name,
    family,
    doc,
    onnx,
    kernels: SINGLE,
    infer: ([x]) => [x!],
    flops: (io) => 10 * elements(io),
    gradient: ({ inputs: [x], y, g }: Backward<object>) => [derivative(x!, y, g)],
    evaluate: ([x]) => [mapBroadcast(x!.dtype, x!.shape, [x!], f)],
    cuts: elementwiseCuts,
  });
  return operator(row, (operand: Operand) => {
    const x = toFloat(name, operand);
    return x.dtype === "float64" ? double(x) : apply(row, [x]);
  });
}

function composed(name: string, doc: string, f: (x: Expression) => Expression): Unary {
  return operator(compositionRow(name, family, doc), (x: Operand) => f(toFloat(name, x)));
}

/** An odd function by its values at x >= 0; differentiable at 0 too, where sign() times abs() would not be. */
function oddly(x: Expression, f: (positive: Expression) => Expression): Expression {
  const negative = x.less(0);
  const y = f(negative.where(x.neg(), x));
  return negative.where(y.neg(), y);
}

/**
 * An inverse function in float64 from its float32 kernel: that gives an angle near the true one, `sine` the sine or tangent of what remains by the
 * addition theorem, so small that two terms of its series are exact.
 */
function near(
  x: Expression,
  rough: (x: Expression) => Expression,
  sine: (x: Expression, sin: Expression, cos: Expression) => Expression,
  cubic: number,
): Expression {
  const from = rough(x.cast("float32")).cast("float64");
  const d = sine(x, from.sin(), from.cos());
  return from.add(d.add(d.mul(d).mul(d).mul(cubic)));
}

function legOf(x: Expression): Expression {
  return x.neg().add(1).mul(x.add(1)).sqrt();
}

export const sin: Unary = unary("sin", "Sin", {
  doc: "The sine.",
  f: Math.sin,
  flops: 10,
  gradient: ({ inputs: [x], g }) => [g.mul(x!.cos())],
});
export const cos: Unary = unary("cos", "Cos", {
  doc: "The cosine.",
  f: Math.cos,
  flops: 10,
  gradient: ({ inputs: [x], g }) => [g.mul(x!.sin()).neg()],
});
export const tan: Unary = single("tan", "Tan", {
  doc: "The tangent.",
  f: Math.tan,
  derivative: (_, y, g) => g.add(g.mul(y).mul(y)),
  double: (x) => x.sin().div(x.cos()),
});
export const asin: Unary = single("asin", "Asin", {
  doc: "The angle in [-pi/2, pi/2] whose sine is x.",
  f: Math.asin,
  derivative: (x, _, g) => g.div(legOf(x)),
  double: (x) => near(x, asin, (x, s, c) => x.mul(c).sub(legOf(x).mul(s)), 1 / 6),
});
export const acos: Unary = single("acos", "Acos", {
  doc: "The angle in [0, pi] whose cosine is x.",
  f: Math.acos,
  derivative: (x, _, g) => g.div(legOf(x)).neg(),
  double: (x) => near(x, acos, (x, s, c) => legOf(x).mul(c).sub(x.mul(s)), 1 / 6),
});
export const atan: Unary = single("atan", "Atan", {
  doc: "The angle in (-pi/2, pi/2) whose tangent is x.",
  f: Math.atan,
  derivative: (x, _, g) => g.div(x.mul(x).add(1)),
  double: (operand) => {
    // Beyond 1e300 the angle is pi/2 to the last bit, and infinity would make NaN below.
    const x = operand.abs().greater(1e300).where(operand.sign().mul(1e300), operand);
    const tangent = (x: Expression, s: Expression, c: Expression): Expression => {
      const scale = x.abs().maximum(1).reciprocal();
      const scaled = x.mul(scale);
      return scaled
        .mul(c)
        .sub(scale.mul(s))
        .div(scale.mul(c).add(scaled.mul(s)));
    };
    return near(x, atan, tangent, -1 / 3);
  },
});
export const sinh: Unary = single("sinh", "Sinh", {
  doc: "The hyperbolic sine.",
  f: Math.sinh,
  derivative: (x, _, g) => g.mul(x.cosh()),
  double: (x) => {
    const small = x.abs().less(1);
    const t = small.where(x, 0).mul(0.5).tanh();
    return small.where(t.mul(2).div(t.mul(t).neg().add(1)), x.exp().sub(x.neg().exp()).mul(0.5));
  },
});
export const cosh: Unary = single("cosh", "Cosh", {
  doc: "The hyperbolic cosine.",
  f: Math.cosh,
  derivative: (x, _, g) => g.mul(x.sinh()),
  double: (x) => x.exp().add(x.neg().exp()).mul(0.5),
});
export const tanh: Unary = unary("tanh", "Tanh", {
  doc: "The hyperbolic tangent.",
  f: Math.tanh,
  flops: 10,
  gradient: ({ y, g }) => [g.sub(g.mul(y).mul(y))],
});
export const asinh: Unary = single("asinh", "Asinh", {
  doc: "The inverse of the hyperbolic sine.",
  f: Math.asinh,
  derivative: (x, _, g) => g.div(x.mul(x).add(1).sqrt()),
  double: (x) =>
    oddly(x, (a) => {
      const scale = a.maximum(1).reciprocal();
      const scaled = a.mul(scale);
      const root = scale.mul(scale).add(scaled.mul(scaled)).sqrt();
      return a.add(a.mul(scaled.div(scale.add(root)))).log1p();
    }),
});
export const acosh: Unary = single("acosh", "Acosh", {
  doc: "The inverse of the hyperbolic cosine, from 1.",
  f: Math.acosh,
  derivative: (x, _, g) => g.div(x.sub(1).sqrt().mul(x.add(1).sqrt())),
  double: (x) => {
    const t = x.sub(1);
    return t.add(t.sqrt().mul(t.add(2).sqrt())).log1p();
  },
});
export const atanh: Unary = single("atanh", "Atanh", {
  doc: "The inverse of the hyperbolic tangent.",
  f: Math.atanh,
  derivative: (x, _, g) => g.div(x.neg().add(1).mul(x.add(1))),
  double: (x) => oddly(x, (a) => a.mul(2).div(a.neg().add(1)).log1p().mul(0.5)),
});

export const atan2: Binary = operator(
  compositionRow("atan2", family, "The angle in [-pi, pi] of the point with height y and breadth x."),
  (first: Operand, second: Operand) => {
    const [y, x] = meet("atan2", first, second).map((each) => toFloat("atan2", each)) as [
      Expression,
      Expression,
    ];
    const origin = x.equal(0).logicalAnd(y.equal(0));
    const steep = y.abs().greater(x.abs());
    const below = steep.where(y, origin.where(1, x));
    const angle = steep.where(x, y).div(below).atan();
    const up = y.less(0).where(toExpression("atan2", -1, y.dtype), 1);
    const flat = x.less(0).where(angle.add(up.mul(Math.PI)), angle);
    return steep.where(up.mul(Math.PI / 2).sub(angle), flat);
  },
);

export const expm1: Unary = composed("expm1", "exp(x) - 1, exact for small x too.", (x) => {
  const small = x.abs().less(0.5);
  const t = small.where(x, 0).mul(0.5).tanh();
  return small.where(t.mul(2).div(t.neg().add(1)), x.exp().sub(1));
});
export const log1p: Unary = composed("log1p", "log(1 + x), exact for small x too.", (x) => {
  // What 1 + x loses to rounding, log(u) * x / (u - 1) gives back.
  const small = x.abs().less(0.5);
  const felt = small.logicalAnd(x.add(1).equal(1).logicalNot());
  const own = felt.where(x, 0.25);
  const u = own.add(1);
  const corrected = u.log().mul(own.div(u.sub(1)));
  return felt.where(corrected, small.where(x, small.where(0, x).add(1).log()));
});

export const erf: Unary = single("erf", "Erf", {
  doc: "The error function.",
  f: erfNumber,
  derivative: (x, _, g) => g.mul(x.mul(x).neg().exp()).mul(ERF_SLOPE),
  double: erfOf,
});

export {
  acos as arccos,
  acosh as arccosh,
  asin as arcsin,
  asinh as arcsinh,
  atan as arctan,
  atan2 as arctan2,
  atanh as arctanh,
};
