// How each row of the family is tried.
import * as rows from "../catalogue/nn.js";
import { unaryCases, type Case, type Cases } from "./case.js";

const alongAxes = (f: typeof rows.softmax): Case[] => [
  { inputs: ["T 3,4"], call: (x) => f(x!) },
  { inputs: ["T 2,3,4"], call: (x) => f(x!, 1) },
];

export const nn: Cases = {
  relu: unaryCases(rows.relu),
  sigmoid: unaryCases(rows.sigmoid),
  softmax: alongAxes(rows.softmax),
  logSoftmax: alongAxes(rows.logSoftmax),
};
