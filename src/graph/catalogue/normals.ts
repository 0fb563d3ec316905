// Normal and exponential numbers from random words, in float64 by + - * / and sqrt alone: those round the same everywhere, logarithms and cosines of
// engines do not.
import type { Expression } from "../expression.js";
import { constant } from "../operand.js";
import { toTensor } from "../../tensor/index.js";
import { concat } from "./shaping.js";

/** How many bits the logarithm's argument has, and how many terms the series take to be exact to the dtype that is wanted. */
export interface Precision {
  readonly bits: 32 | 53;
  readonly logTerms: number;
  readonly angleTerms: number;
}
export const SINGLE: Precision = { bits: 32, logTerms: 9, angleTerms: 6 };
export const DOUBLE: Precision = { bits: 53, logTerms: 18, angleTerms: 10 };

/** -log(p) for p in (0, 1]: the power of two is taken out by halving searches, the rest is 2 artanh((m - 1) / (m + 1)). */
export function minusLog(p: Expression, { bits, logTerms }: Precision): Expression {
  let m = p;
  let taken = p.mul(0);
  for (let k = bits === 53 ? 32 : 16; k >= 1; k /= 2) {
    const small = m.less(2 ** -k);
    m = m.mul(small.where(double(2 ** k), 1));
    taken = taken.add(small.where(double(k * Math.LN2), 0));
  }
  const s = m.sub(1).div(m.add(1));
  const series = polynomial(
    s.mul(s),
    Array.from({ length: logTerms }, (_, k) => 2 / (2 * k + 1)),
  );
  return taken.sub(s.mul(series));
}

/**
 * Two normal numbers from each pair (Box, Muller), one after the other: `p` in (0, 1], `angle` words. The angle is drawn from an eighth to either side
 * of an axis; two of the word's bits say which axis and which end.
 */
export function normalPairs(p: Expression, angle: Expression, precision: Precision): Expression {
  const radius = minusLog(p, precision).mul(2).sqrt();
  const turn = angle
    .bitwiseAnd(0xfffffffc)
    .cast("float64")
    .mul(Math.PI * 2 ** -33)
    .add(Math.PI * (2 ** -32 - 0.25));
  const square = turn.mul(turn);
  const sine = turn.mul(polynomial(square, factorials(1, precision.angleTerms)));
  const end = angle.bitwiseAnd(1).cast("float64").mul(2).sub(1);
  const cosine = polynomial(square, factorials(0, precision.angleTerms)).mul(end);
  const upright = angle.bitwiseAnd(2).equal(0);
  return concat([radius.mul(upright.where(sine, cosine)), radius.mul(upright.where(cosine, sine))]);
}

/** 1 / first!, -1 / (first + 2)!, ... */
function factorials(first: number, terms: number): number[] {
  const out = [1];
  for (let k = 1; k < terms; k++) out.push(-out[k - 1]! / ((2 * k + first) * (2 * k + first - 1)));
  return out;
}

function polynomial(x: Expression, coefficients: readonly number[]): Expression {
  return coefficients.slice(0, -1).reduceRight((sum, c) => sum.mul(x).add(c), double(coefficients.at(-1)!));
}

function double(value: number): Expression {
  return constant(toTensor(value, { dtype: "float64" }));
}
