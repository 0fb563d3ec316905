// Distributions over the words of a key.
import type { DType } from "../../tensor/index.js";
import { divideDims, mulDims, sizeOf, type Dim, type Shape } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { toFloat, type Operand } from "../operand.js";
import { compositionRow, maker, operator, type Maker, type Operator } from "../row.js";
import { isFloat } from "../shape.js";
import { DOUBLE, minusLog, normalPairs, SINGLE, type Precision } from "./normals.js";
import { concat } from "./shaping.js";
import type { RandomKey } from "./words.js";

const family = "random" as const;

export interface UniformOptions {
  readonly low?: number;
  readonly high?: number;
  readonly dtype?: DType;
}
export interface NormalOptions {
  readonly mean?: number;
  readonly std?: number;
  readonly dtype?: DType;
}
export interface IntegerOptions {
  readonly dtype?: "int32" | "int64";
}

export const randomBits: Maker<(key: RandomKey, shape: Shape) => Expression> = maker(
  compositionRow("randomBits", family, "Words of 32 random bits, as int64 from 0 below 2^32.", false),
  (key: RandomKey, shape: Shape) => key.words(sizeOf(shape)).reshape(shape),
);

export const uniform: Maker<(key: RandomKey, shape: Shape, options?: UniformOptions) => Expression> = maker(
  compositionRow(
    "uniform",
    family,
    "Random numbers spread evenly from `low` to below `high`; with all the bits that the dtype has room for.",
    false,
  ),
  (key: RandomKey, shape: Shape, { low = 0, high = 1, dtype = "float32" }: UniformOptions = {}) => {
    expectFloat("uniform", dtype);
    if (!(high > low && Number.isFinite(high - low)))
      throw new GraphError(
        `uniform: the range is ${low} to ${high}; the lower limit comes first, both are finite`,
      );
    if (dtype !== "float64" && low === 0 && high === 1)
      return key
        .words(sizeOf(shape))
        .bitwiseAnd(dtype === "float16" ? 0xffe00000 : 0xffffff00)
        .cast("float32")
        .mul(2 ** -32)
        .cast(dtype)
        .reshape(shape);
    const unit = dtype === "float64" ? units(key, sizeOf(shape)) : ofWord(key.words(sizeOf(shape)));
    return unit
      .mul(high - low)
      .add(low)
      .cast(dtype)
      .reshape(shape);
  },
);

export const normal: Maker<(key: RandomKey, shape: Shape, options?: NormalOptions) => Expression> = maker(
  compositionRow("normal", family, "Random numbers of the normal distribution.", false),
  (key: RandomKey, shape: Shape, { mean = 0, std = 1, dtype = "float32" }: NormalOptions = {}) => {
    expectFloat("normal", dtype);
    const count = sizeOf(shape);
    const z = gaussians(key, halfOf(count), precisionOf(dtype));
    const scaled = std === 1 && mean === 0 ? z : z.mul(std).add(mean);
    return first(scaled, count).cast(dtype).reshape(shape);
  },
);

export const exponential: Maker<
  (key: RandomKey, shape: Shape, options?: { rate?: number; dtype?: DType }) => Expression
> = maker(
  compositionRow("exponential", family, "Random numbers of the exponential distribution.", false),
  (key: RandomKey, shape: Shape, { rate = 1, dtype = "float32" }: { rate?: number; dtype?: DType } = {}) => {
    expectFloat("exponential", dtype);
    const precision = precisionOf(dtype);
    const count = sizeOf(shape);
    const p = precision.bits === 53 ? units(key, count).add(2 ** -53) : ofWord(key.words(count).add(1));
    return minusLog(p, precision).div(rate).cast(dtype).reshape(shape);
  },
);

export const randint: Maker<
  (key: RandomKey, shape: Shape, low: number, high: number, options?: IntegerOptions) => Expression
> = maker(
  compositionRow("randint", family, "Random whole numbers from `low` to below `high`.", false),
  (key: RandomKey, shape: Shape, low: number, high: number, { dtype = "int64" }: IntegerOptions = {}) => {
    const range = high - low;
    if (
      !Number.isSafeInteger(low) ||
      !Number.isSafeInteger(high) ||
      !Number.isSafeInteger(range) ||
      range < 1
    )
      throw new GraphError(
        `randint: the range is ${low} to below ${high}; give two whole numbers, the lower first`,
      );
    const count = sizeOf(shape);
    const scaled =
      range <= 2 ** 16
        ? key
            .words(count)
            .cast("float64")
            .mul(range * 2 ** -32)
        : units(key, count)
            .mul(range)
            .minimum(range - 1);
    return scaled.floor().add(low).cast(dtype).reshape(shape);
  },
);

export const bernoulli: Maker<(key: RandomKey, shape: Shape, probability: number) => Expression> = maker(
  compositionRow("bernoulli", family, "True with a probability, as bool.", false),
  (key: RandomKey, shape: Shape, probability: number) => {
    expectProbability("bernoulli", probability);
    return key
      .words(sizeOf(shape))
      .less(Math.round(probability * 2 ** 32))
      .reshape(shape);
  },
);

export const dropout: Operator<(x: Operand, rate: number, key: RandomKey) => Expression> = operator(
  compositionRow(
    "dropout",
    family,
    "Each element is 0 with probability `rate`, else divided by 1 - rate. For training: leave it out of what serves.",
  ),
  (operand: Operand, rate: number, key: RandomKey) => {
    const x = toFloat("dropout", operand);
    expectProbability("dropout", rate);
    if (rate === 0) return x;
    if (rate === 1) return x.mul(0);
    const count = sizeOf(x.shape);
    // Half a word decides, where 16 bits come near enough to the rate; the scale is of the rate that they give.
    const coarse = Math.round((1 - rate) * 2 ** 16);
    if (rate < 2 ** -9 || coarse === 0) {
      const kept = key.words(count).less(Math.round((1 - rate) * 2 ** 32));
      return x.mul(kept.reshape(x.shape).cast(x.dtype)).mul(1 / (1 - rate));
    }
    const words = key.words(halfOf(count));
    const kept = first(concat([words.bitwiseAnd(0xffff).less(coarse), words.less(coarse * 2 ** 16)]), count);
    return x.mul(kept.reshape(x.shape).cast(x.dtype)).mul(2 ** 16 / coarse);
  },
);

/** Two times `half` numbers of mean 0 and deviation 1. */
function gaussians(key: RandomKey, half: Dim, precision: Precision): Expression {
  if (precision.bits === 53) return normalPairs(units(key, half).add(2 ** -53), key.words(half), precision);
  const [word, angle] = pairs(key, half);
  return normalPairs(ofWord(word.add(1)), angle, precision);
}

/** Numbers in [0, 1) with 53 bits. */
function units(key: RandomKey, count: Dim): Expression {
  const [high, low] = pairs(key, count);
  return ofWord(high.bitwiseAnd(0xffffffe0)).add(ofWord(low.bitwiseAnd(0xffffffc0)).mul(2 ** -27));
}

/** Twice `count` words, from one operation. */
function pairs(key: RandomKey, count: Dim): readonly [Expression, Expression] {
  const both = mulDims(count, 2);
  const words = key.words(both);
  return [words.slice([0], [count], [0]), words.slice([count], [both], [0])];
}

/** A word as a number in [0, 1), in float64. */
function ofWord(word: Expression): Expression {
  return word.cast("float64").mul(2 ** -32);
}

function precisionOf(dtype: DType): Precision {
  return dtype === "float64" ? DOUBLE : SINGLE;
}

/** Half of a count, or where that is not known to come out even, enough. */
function halfOf(count: Dim): Dim {
  return typeof count === "number" ? Math.ceil(count / 2) : (divideDims(count, 2) ?? count);
}

function first(x: Expression, count: Dim): Expression {
  return x.shape[0] === count ? x : x.slice([0], [count], [0]);
}

function expectFloat(who: string, dtype: DType): void {
  if (!isFloat(dtype))
    throw new GraphError(`${who}: the dtype is ${dtype}; use a float, or randint() for whole numbers`);
}

function expectProbability(who: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new GraphError(`${who}: the probability is ${p}; it lies from 0 to 1`);
}
