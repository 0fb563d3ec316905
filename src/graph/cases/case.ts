// How a row is tried: inputs and a call. The tests of every row, on every engine and by finite differences, are made from these.
import type { Expression } from "../expression.js";
import type { Operand } from "../operand.js";

/** `T 3,4` (any dtype that the row takes), `int64 5`, `bool` (a scalar). */
export type Spec = string;

export interface Case {
  readonly inputs: readonly Spec[];
  readonly call: (...xs: Expression[]) => Expression | readonly Expression[];
  /** Where the inputs lie; [-2, 2] unless told. Away from kinks, for finite differences. */
  readonly range?: readonly [number, number];
  /** Of float32, relative to the largest value; 1e-5 unless told. */
  readonly tolerance?: number;
  /** Not compared with finite differences, and why. */
  readonly noGradient?: string;
}

/** The cases of a family, by row name. */
export type Cases = Readonly<Record<string, readonly Case[]>>;

export function unaryCases(f: (x: Operand) => Expression, range?: readonly [number, number]): Case[] {
  return ["T 3,4", "T", "T 2,1,3"].map((spec) => ({
    inputs: [spec],
    call: (x) => f(x!),
    ...(range && { range }),
  }));
}

export function binaryCases(
  f: (a: Operand, b: Operand) => Expression,
  range?: readonly [number, number],
): Case[] {
  const shapes = [
    ["T 3,4", "T 3,4"],
    ["T 3,4", "T 4"],
    ["T 2,1,4", "T 3,1"],
    ["T", "T 2,3"],
  ];
  return shapes.map((inputs) => ({ inputs, call: (a, b) => f(a!, b!), ...(range && { range }) }));
}
