// How each row of the family is tried.
import * as rows from "../catalogue/compare.js";
import { binaryCases, type Cases } from "./case.js";

export const compare: Cases = {
  equal: binaryCases(rows.equal),
  greater: binaryCases(rows.greater),
  less: binaryCases(rows.less),
  greaterEqual: binaryCases(rows.greaterEqual),
  lessEqual: binaryCases(rows.lessEqual),
  logicalNot: [{ inputs: ["bool 3,4"], call: (x) => x!.logicalNot() }],
  where: [
    { inputs: ["bool 3,4", "T 3,4", "T 3,4"], call: (c, a, b) => c!.where(a!, b!) },
    { inputs: ["bool 3,1", "T 4", "T"], call: (c, a, b) => c!.where(a!, b!) },
  ],
};
