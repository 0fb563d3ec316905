// Random words, from which every distribution is made: Philox blocks keyed by the seed, counted by position, operation and step.
import { divideDims, mulDims, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { constant, expectDtype, toExpression, type Operand } from "../operand.js";
import { philox, type KeyWords } from "../philox.js";
import { compositionRow, maker, type Maker } from "../row.js";
import { printType } from "../shape.js";
import { concat } from "./shaping.js";
import { toTensor } from "../../tensor/index.js";

const WORD = 2 ** 32;

export const iota: Maker<(length: Dim) => Expression> = maker(
  compositionRow("iota", "source", "0, 1, 2, ... as int64, as many as a dimension says.", false),
  (length: Dim) =>
    constant(toTensor(1, { dtype: "int64" }))
      .broadcastTo([length])
      .cumsum(0, { exclusive: true }),
);

/**
 * What random numbers are made from: a seed, a step and, counted here, which operation of the graph draws. Equal keys give equal numbers, on every
 * engine and at every recomputation. A number as seed is part of the program; give both as inputs (int64 scalars) to run one program with many.
 */
export class RandomKey {
  private readonly seed: KeyWords;
  private readonly step: readonly [Expression, Expression];
  private operations = 0;

  constructor(seed: Operand, step: Operand = 0) {
    const known = typeof seed === "number" || typeof seed === "bigint" ? split(seed, "seed") : undefined;
    this.seed = known ?? column(halves(seed, "seed"));
    this.step =
      typeof step === "number" || typeof step === "bigint"
        ? (split(step, "step").map(word) as [Expression, Expression])
        : halves(step, "step");
  }

  /** `count` words from 0 below 2^32, as int64 [count]. Each call is an operation of its own. */
  words(count: Dim): Expression {
    const operation = this.operations++;
    const each = [4, 2, 1].find((n) => typeof count === "number" || divideDims(count, n) !== undefined)!;
    const blocks = typeof count === "number" ? Math.ceil(count / 4) : divideDims(count, each)!;
    const [low, high] = this.step;
    const even = concat([iota(blocks).expandDims(0), low.broadcastTo([1, blocks])]);
    const [x, y] = philox(even, column([word(operation), high]), this.seed);
    const all = each === 4 ? concat([x, y]) : x;
    const flat = all.reshape([mulDims(all.shape[0]!, blocks)]);
    return flat.shape[0] === count ? flat : flat.slice([0], [count], [0]);
  }
}

/** The key of a graph's random numbers: of a seed, and of a step where the same program runs again and again. */
export function randomKey(seed: Operand, step: Operand = 0): RandomKey {
  return new RandomKey(seed, step);
}

function split(value: number | bigint, what: string): readonly [number, number] {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new GraphError(`random: the ${what} is ${value}; it must be a whole number`);
  const bits = BigInt.asUintN(64, BigInt(value));
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

/** The two words of a scalar that is known when it runs, each as [1, 1]. */
function halves(operand: Operand, what: string): readonly [Expression, Expression] {
  const x = toExpression("random", operand);
  expectDtype("random", `the ${what}`, x, ["int32", "int64", "uint8"]);
  if (x.shape.some((dim) => dim !== 1))
    throw new GraphError(`random: the ${what} is ${printType(x.type)}; it must be a scalar`);
  const whole = x.cast("int64").reshape([1, 1]);
  const low = whole.bitwiseAnd(WORD - 1);
  return [
    low,
    whole
      .sub(low)
      .quotient(WORD)
      .bitwiseAnd(WORD - 1),
  ];
}

function column(words: readonly Expression[]): Expression {
  return concat(words);
}

function word(value: number): Expression {
  return constant(toTensor(value, { dtype: "int64", shape: [1, 1] }));
}
