// How each row of the family is tried.
import * as rows from "../catalogue/elementwise.js";
import { binaryCases, unaryCases, type Case, type Cases } from "./case.js";

const positive = [0.3, 2.5] as const;

function ofIntegers(cases: readonly Case[]): Case[] {
  return cases.map((each) => ({ ...each, noGradient: "for integers only" }));
}

export const elementwise: Cases = {
  add: binaryCases(rows.add),
  sub: binaryCases(rows.sub),
  mul: binaryCases(rows.mul),
  div: binaryCases(rows.div, positive),
  pow: binaryCases(rows.pow, positive),
  maximum: binaryCases(rows.maximum),
  minimum: binaryCases(rows.minimum),
  neg: unaryCases(rows.neg),
  abs: unaryCases(rows.abs),
  sign: unaryCases(rows.sign),
  exp: unaryCases(rows.exp),
  log: unaryCases(rows.log, positive),
  sqrt: unaryCases(rows.sqrt, positive),
  reciprocal: unaryCases(rows.reciprocal, positive),
  sin: unaryCases(rows.sin),
  cos: unaryCases(rows.cos),
  tanh: unaryCases(rows.tanh),
  tan: unaryCases(rows.tan, [-1.3, 1.3]),
  asin: unaryCases(rows.asin, [-0.9, 0.9]),
  acos: unaryCases(rows.acos, [-0.9, 0.9]),
  atan: unaryCases(rows.atan, [-4, 4]),
  sinh: unaryCases(rows.sinh),
  cosh: unaryCases(rows.cosh),
  asinh: unaryCases(rows.asinh, [-4, 4]),
  acosh: unaryCases(rows.acosh, [1.2, 4]),
  atanh: unaryCases(rows.atanh, [-0.9, 0.9]),
  atan2: binaryCases(rows.atan2),
  expm1: unaryCases(rows.expm1),
  log1p: unaryCases(rows.log1p, [-0.9, 2]),
  erf: unaryCases(rows.erf),
  positive: unaryCases(rows.positive),
  square: unaryCases(rows.square),
  cube: unaryCases(rows.cube),
  cbrt: unaryCases(rows.cbrt, [-2.2, -0.2]),
  exp2: unaryCases(rows.exp2),
  log2: unaryCases(rows.log2, positive),
  log10: unaryCases(rows.log10, positive),
  rsqrt: unaryCases(rows.rsqrt, positive),
  logaddexp: binaryCases(rows.logaddexp),
  round: unaryCases(rows.round),
  trunc: unaryCases(rows.trunc),
  quotient: ofIntegers(binaryCases(rows.quotient, [-40, 40])),
  fmod: binaryCases(rows.fmod, [0.7, 2.9]),
  mod: binaryCases(rows.mod, [-2.9, 2.9]),
  floorDivide: binaryCases(rows.floorDivide, [-4, 4]),
  clip: [
    { inputs: ["T 3,4"], call: (x) => x!.clip(-1, 1) },
    { inputs: ["T 3,4"], call: (x) => x!.clip(0.5) },
    { inputs: ["T 3,4"], call: (x) => x!.clip(undefined, 0.5) },
    { inputs: ["T 3,4", "T 4"], call: (x, low) => x!.clip(low!, 1) },
  ],
  floor: unaryCases(rows.floor),
  ceil: unaryCases(rows.ceil),
};
