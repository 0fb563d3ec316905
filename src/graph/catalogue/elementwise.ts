// Arithmetic and functions of one element or of a pair. Each export is a row; aliases are further exports of the same row.
import { FLOATS, NUMBERS, SIGNED, SINGLE } from "../kernels.js";
import { toExpression } from "../operand.js";
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
  f: Math.pow,
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
  kernels: SINGLE,
  gradient: ({ inputs: [x], g }) => [g.mul(x!.sin()).neg()],
});
export const tanh: Unary = unary("tanh", "Tanh", {
  doc: "The hyperbolic tangent.",
  f: Math.tanh,
  flops: 10,
  gradient: ({ y, g }) => [g.sub(g.mul(y).mul(y))],
});
export const floor: Unary = unary("floor", "Floor", {
  doc: "The whole number below.",
  f: Math.floor,
  gradient: "zero",
});
export const ceil: Unary = unary("ceil", "Ceil", {
  doc: "The whole number above.",
  f: Math.ceil,
  gradient: "zero",
});

export {
  abs as absolute,
  add as plus,
  sub as subtract,
  mul as multiply,
  div as divide,
  neg as negative,
  pow as power,
};
