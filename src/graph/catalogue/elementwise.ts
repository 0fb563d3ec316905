// Arithmetic and functions of one element or of a pair. Each export is a row; aliases are further exports of the same row.
import type { Expression } from "../expression.js";
import { FLOATS, NUMBERS, SIGNED } from "../kernels.js";
import { meet, toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator } from "../row.js";
import { binary, unary, type Binary, type Unary } from "./pattern.js";

export const add: Binary = binary("add", "Add", {
  doc: "a + b.",
  f: (a, b) => a + b,
  gradient: ({ g }) => [g, g],
});
export const sub: Binary = binary("sub", "Sub", {
  doc: "a - b.",
  f: (a, b) => a - b,
  gradient: ({ g }) => [g, g.neg()],
});
export const mul: Binary = binary("mul", "Mul", {
  doc: "a * b, element by element.",
  f: (a, b) => a * b,
  gradient: ({ inputs: [a, b], g }) => [g.mul(b!), g.mul(a!)],
});
export const div: Binary = binary("div", "Div", {
  doc: "a / b; integers become float32 first.",
  f: (a, b) => a / b,
  kernels: FLOATS,
  gradient: ({ inputs: [, b], y, g }) => [g.div(b!), g.mul(y).div(b!).neg()],
});
export const pow: Binary = binary("pow", "Pow", {
  doc: "a to the power b. Its gradient by b is 0 where a is not positive.",
  // As IEEE 754 and every engine have it; JavaScript says NaN.
  f: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b)),
  flops: 10,
  gradient: ({ inputs: [a, b], y, g }) => [
    g.mul(b!).mul(a!.pow(b!.sub(1))),
    g.mul(y).mul(
      a!
        .greater(0)
        .where(a!, toExpression("pow", 1, a!.dtype))
        .log(),
    ),
  ],
});
export const maximum: Binary = binary("maximum", "Max", {
  doc: "The larger of each pair; NaN where either is. At a tie each gets half of the gradient.",
  f: Math.max,
  gradient: ({ inputs: [a, b], g }) => {
    const tie = a!.equal(b!).cast(g.dtype).mul(0.5);
    return [g.mul(a!.greater(b!).cast(g.dtype).add(tie)), g.mul(b!.greater(a!).cast(g.dtype).add(tie))];
  },
});
export const minimum: Binary = binary("minimum", "Min", {
  doc: "The smaller of each pair; NaN where either is. At a tie each gets half of the gradient.",
  f: Math.min,
  gradient: ({ inputs: [a, b], g }) => {
    const tie = a!.equal(b!).cast(g.dtype).mul(0.5);
    return [g.mul(a!.less(b!).cast(g.dtype).add(tie)), g.mul(b!.less(a!).cast(g.dtype).add(tie))];
  },
});

export const neg: Unary = unary("neg", "Neg", {
  doc: "-x.",
  f: (x) => -x,
  kernels: SIGNED,
  gradient: ({ g }) => [g.neg()],
});
export const abs: Unary = unary("abs", "Abs", {
  doc: "The absolute value; its gradient at 0 is 0.",
  f: Math.abs,
  kernels: NUMBERS,
  gradient: ({ inputs: [x], g }) => [g.mul(x!.sign())],
});
export const sign: Unary = unary("sign", "Sign", {
  doc: "-1, 0 or 1.",
  f: Math.sign,
  kernels: NUMBERS,
  gradient: "zero",
});
export const exp: Unary = unary("exp", "Exp", {
  doc: "e to the power x.",
  f: Math.exp,
  flops: 10,
  gradient: ({ y, g }) => [g.mul(y)],
});
export const log: Unary = unary("log", "Log", {
  doc: "The natural logarithm.",
  f: Math.log,
  flops: 10,
  gradient: ({ inputs: [x], g }) => [g.div(x!)],
});
export const sqrt: Unary = unary("sqrt", "Sqrt", {
  doc: "The square root.",
  f: Math.sqrt,
  gradient: ({ y, g }) => [g.div(y).mul(0.5)],
});
export const reciprocal: Unary = unary("reciprocal", "Reciprocal", {
  doc: "1 / x.",
  f: (x) => 1 / x,
  gradient: ({ y, g }) => [g.mul(y).mul(y).neg()],
});

function composed(name: string, doc: string, f: (x: Expression) => Expression): Unary {
  return operator(compositionRow(name, "elementwise", doc), (x: Operand) => f(toExpression(name, x)));
}

export const positive: Unary = composed("positive", "x itself.", (x) => x);
export const square: Unary = composed("square", "x * x.", (x) => x.mul(x));
export const cube: Unary = composed("cube", "x * x * x.", (x) => x.mul(x).mul(x));
export const cbrt: Unary = composed("cbrt", "The cube root, of negative numbers too.", (operand) => {
  const x = toFloat("cbrt", operand);
  const negative = x.less(0);
  const root = negative.where(x.neg(), x).pow(1 / 3);
  return negative.where(root.neg(), root);
});
export const exp2: Unary = composed("exp2", "2 to the power x.", (x) =>
  toFloat("exp2", x).mul(Math.LN2).exp(),
);
export const log2: Unary = composed("log2", "The logarithm to base 2.", (x) => x.log().mul(Math.LOG2E));
export const log10: Unary = composed("log10", "The logarithm to base 10.", (x) => x.log().mul(Math.LOG10E));
export const rsqrt: Unary = composed("rsqrt", "1 over the square root.", (x) => x.sqrt().reciprocal());
export const logaddexp: Binary = operator(
  compositionRow("logaddexp", "elementwise", "log(exp(a) + exp(b)) without overflow."),
  (first: Operand, second: Operand) => {
    const [a, b] = meet("logaddexp", first, second).map((x) => toFloat("logaddexp", x)) as [
      Expression,
      Expression,
    ];
    // Equal infinities have no difference, and need none.
    const d = a.equal(b).where(0, a.sub(b).abs());
    return a.maximum(b).add(d.neg().exp().log1p());
  },
);

export * from "./rounding.js";
export * from "./trigonometry.js";
export {
  abs as absolute,
  positive as pos,
  cbrt as cubeRoot,
  log as natlog,
  sqrt as squareRoot,
  add as plus,
  sub as subtract,
  mul as multiply,
  div as divide,
  neg as negative,
  pow as power,
};
