// How each row of the family is tried.
import * as rows from "../catalogue/compare.js";
import { binaryCases, unaryCases, type Case, type Cases } from "./case.js";

function ofIntegers(cases: readonly Case[]): Case[] {
  return cases.map((each) => ({ ...each, noGradient: "for integers only" }));
}

export const compare: Cases = {
  equal: binaryCases(rows.equal),
  greater: binaryCases(rows.greater),
  less: binaryCases(rows.less),
  greaterEqual: binaryCases(rows.greaterEqual),
  lessEqual: binaryCases(rows.lessEqual),
  logicalNot: [{ inputs: ["bool 3,4"], call: (x) => x!.logicalNot() }],
  notEqual: binaryCases(rows.notEqual),
  logicalAnd: binaryCases(rows.logicalAnd),
  logicalOr: binaryCases(rows.logicalOr),
  logicalXor: binaryCases(rows.logicalXor),
  isNaN: unaryCases(rows.isNaN),
  isInf: unaryCases(rows.isInf),
  isFinite: unaryCases(rows.isFinite),
  isClose: binaryCases(rows.isClose),
  bitwiseAnd: ofIntegers(binaryCases(rows.bitwiseAnd, [-99, 99])),
  bitwiseOr: ofIntegers(binaryCases(rows.bitwiseOr, [-99, 99])),
  bitwiseXor: ofIntegers(binaryCases(rows.bitwiseXor, [-99, 99])),
  bitwiseNot: ofIntegers(unaryCases(rows.bitwiseNot, [-99, 99])),
  where: [
    { inputs: ["bool 3,4", "T 3,4", "T 3,4"], call: (c, a, b) => c!.where(a!, b!) },
    { inputs: ["bool 3,1", "T 4", "T"], call: (c, a, b) => c!.where(a!, b!) },
  ],
};
