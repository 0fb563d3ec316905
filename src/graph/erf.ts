// The error function in float64: as a number for the interpreter, since JavaScript has none, and as an expression, since no engine has it.
import type { Expression } from "./expression.js";
import { constant } from "./operand.js";
import { toTensor } from "../tensor/index.js";

/** 2 / sqrt(pi): its slope at 0. */
export const ERF_SLOPE = 1.1283791670955126;

/** By Kummer's series, whose terms are all positive, and a continued fraction for the tail (Abramowitz and Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return ERF_SLOPE * Math.exp(-x * x) * sum;
  }
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  return Math.sign(x) * (1 - Math.exp(-a * a) * scaledTail(a, 60));
}

/** exp(x^2) erfc(x) for x > 0, by so many steps of its continued fraction. */
function scaledTail(x: number, steps: number): number {
  let tail = x;
  for (let k = steps; k >= 1; k--) tail = x + k / 2 / tail;
  return 1 / (tail * Math.sqrt(Math.PI));
}

/** How many Chebyshev coefficients reach float64's precision, and how many terms of the Taylor series do up to 1/2. */
const DEGREE = 28;
const TERMS = 13;

/**
 * erf of a float64 expression: near 0 by its Taylor series; else 1 - erfc(|x|), where log(exp(x^2) erfc(x) / t) is smooth in t = 2 / (2 + x), so that a
 * Chebyshev series holds for all x (the form is of Press and others, Numerical Recipes 6.2.2; the coefficients are computed here).
 */
export function erfOf(x: Expression): Expression {
  const small = x.abs().less(0.5);
  const near = small.where(x, 0);
  const t = x.abs().add(2).reciprocal().mul(2);
  const y2 = t.mul(4).sub(2);
  let last = double(0);
  let sum = double(0);
  for (const c of coefficients().slice(1).toReversed()) [last, sum] = [sum, y2.mul(sum).sub(last).add(c)];
  const log = y2.mul(0.5).mul(sum).sub(last).add(coefficients()[0]!);
  const beyond = t
    .mul(log.sub(x.mul(x)).exp())
    .neg()
    .add(1);
  const square = near.mul(near);
  const taylor = Array.from({ length: TERMS }, (_, k) => k).reduceRight<Expression>(
    (total, k) => total.mul(square).add(taylorTerm(k)),
    double(0),
  );
  return small.where(near.mul(taylor), x.sign().mul(beyond));
}

function taylorTerm(k: number): number {
  let factorial = 1;
  for (let i = 2; i <= k; i++) factorial *= i;
  return (ERF_SLOPE * (k % 2 === 0 ? 1 : -1)) / (factorial * (2 * k + 1));
}

let cached: readonly number[] | undefined;
function coefficients(): readonly number[] {
  cached ??= Array.from({ length: DEGREE }, (_, j) => {
    let sum = 0;
    for (let k = 0; k < DEGREE; k++) {
      const angle = (Math.PI * (k + 0.5)) / DEGREE;
      sum += logTail((Math.cos(angle) + 1) / 2) * Math.cos(j * angle);
    }
    return ((j === 0 ? 1 : 2) * sum) / DEGREE;
  });
  return cached;
}

/** The function of t that the series stands for. */
function logTail(t: number): number {
  const x = 2 / t - 2;
  return Math.log((x < 1 ? Math.exp(x * x) * (1 - erf(x)) : scaledTail(x, 600)) / t);
}

function double(value: number): Expression {
  return constant(toTensor(value, { dtype: "float64" }));
}
