// How each row of the family is tried.
import * as rows from "../catalogue/elementwise.js";
import { binaryCases, unaryCases, type Cases } from "./case.js";

const positive = [0.3, 2.5] as const;

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
  floor: unaryCases(rows.floor),
  ceil: unaryCases(rows.ceil),
};
