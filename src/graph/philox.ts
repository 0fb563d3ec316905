// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011) on expressions: the same bits on every engine.
import { toTensor } from "../tensor/index.js";
import type { Expression } from "./expression.js";
import { constant } from "./operand.js";

/** Multipliers of words 0 and 2, and what is added to the two words of the key after each round. */
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;
const ROUNDS = 10;
const WORD = 2 ** 32;

/** Two 32-bit words, known now or when it runs (int64 [2, 1]). */
export type KeyWords = readonly [number, number] | Expression;

/**
 * The four words of each block, each from 0 below 2^32, as int64: words 0 and 2 as [2, blocks], and words 1 and 3. So are the counters given: `even`
 * [2, blocks], `odd` [2, blocks] or [2, 1].
 *
 * The even words stay stacked, in an order that turns with each round, so that one operator works on both and only the odd ones move.
 */
export function philox(even: Expression, odd: Expression, key: KeyWords): readonly [Expression, Expression] {
  let x = even;
  let y = odd;
  for (const [round, turnedKey] of roundKeys(key).entries()) {
    const [high, low] = multiply(x, round % 2 === 0 ? MULTIPLIERS : MULTIPLIERS.toReversed());
    x = high.bitwiseXor(y.flip(0)).bitwiseXor(turnedKey);
    y = low;
  }
  return [x, y];
}

/** The key of each round, in the order of the even words after it. */
function roundKeys(key: KeyWords): Expression[] {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
  if (Array.isArray(key)) {
    const [k0, k1] = key as readonly [number, number];
    return rounds.map((round) => {
      const words = [(k0 + WEYL[0] * round) % WORD, (k1 + WEYL[1] * round) % WORD];
      return column("int64", round % 2 === 0 ? words.toReversed() : words);
    });
  }
  const steps = constant(
    toTensor(
      WEYL.map((weyl) => rounds.map((round) => (weyl * round) % WORD)),
      { dtype: "int64" },
    ),
  );
  const own = (key as Expression).add(steps).bitwiseAnd(WORD - 1);
  const turned = own.flip(0);
  return rounds.map((round) => (round % 2 === 0 ? turned : own).slice([round], [round + 1], [1]));
}

/**
 * The high and low words of 32 x 32 -> 64 bit products. Engines have no such product and no shifts of int64, and their integer division is slow; so
 * in float64 by halves of the multiplier: every step is a whole number below 2^53 or such a one times a power of two, and hence exact.
 */
function multiply(x: Expression, multipliers: readonly number[]): [Expression, Expression] {
  const wide = x.cast("float64");
  const byHigh = wide.mul(
    column(
      "float64",
      multipliers.map((m) => m >>> 16),
    ),
  );
  const byLow = wide.mul(
    column(
      "float64",
      multipliers.map((m) => m & 0xffff),
    ),
  );
  const carried = byLow
    .mul(2 ** -16)
    .floor()
    .add(byHigh);
  const high = carried.mul(2 ** -16).floor();
  const low = byHigh
    .sub(high.mul(2 ** 16))
    .mul(2 ** 16)
    .add(byLow);
  return [high.cast("int64"), low.cast("int64")];
}

function column(dtype: "int64" | "float64", words: readonly number[]): Expression {
  return constant(toTensor(words, { dtype, shape: [words.length, 1] }));
}
