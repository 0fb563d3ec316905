// Statistics over axes: variance, percentiles, the mode, counts, scores and correlations; compositions of reductions and sorting.
import { dimension } from "../creation.js";
import { addDims, divideDims, sizeOf, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { castTo, expectDtype, meet, toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, type Operator } from "../row.js";
import { axisOf, printType, sameShape } from "../shape.js";
import type { Axis, ReduceOptions } from "./reduction.js";
import { concat } from "./shaping.js";

const family = "stats" as const;

export interface SpreadOptions extends ReduceOptions {
  /** What is taken from the number of elements before dividing by it; 1 for a sample. */
  readonly ddof?: number;
}
export type Spread = Operator<(x: Operand, axis?: Axis, options?: SpreadOptions) => Expression>;

export const variance: Spread = operator(
  compositionRow("variance", family, "The mean squared distance from the mean."),
  (operand: Operand, axis?: Axis, { ddof = 0, keepdims = false }: SpreadOptions = {}) => {
    const x = toFloat("variance", operand);
    const centred = x.sub(x.mean(axis, { keepdims: true }));
    const total = centred.sumSquares(axis, { keepdims });
    return total.div(dimension(addDims(reducedCount(x, total), -ddof), x.dtype));
  },
);
export const std: Spread = operator(
  compositionRow("std", family, "The standard deviation: the square root of the variance."),
  (x: Operand, axis?: Axis, options?: SpreadOptions) => variance(x, axis, options).sqrt(),
);

/** How many elements of `x` went into each of `reduced`. */
function reducedCount(x: Expression, reduced: Expression): Dim {
  const count = divideDims(sizeOf(x.shape), sizeOf(reduced.shape));
  if (count === undefined)
    throw new GraphError(
      `variance: ${printType(x.type)} has a length that cannot be told from ${printType(reduced.type)}`,
    );
  return count;
}

export interface AverageOptions extends ReduceOptions {
  /** Of the shape of the operand, or a vector along the one axis. */
  readonly weights?: Operand;
}
export const average: Operator<(x: Operand, axis?: Axis, options?: AverageOptions) => Expression> = operator(
  compositionRow("average", family, "The mean over axes, weighted where weights are given."),
  (operand: Operand, axis?: Axis, { weights, keepdims = false }: AverageOptions = {}) => {
    const given = toFloat("average", operand);
    if (weights === undefined) return given.mean(axis, { keepdims });
    const [x, w] = meet("average", given, weights) as [Expression, Expression];
    const own =
      typeof axis === "number" && w.rank === 1 ? alongAxis(w, axisOf("average", axis, x.rank), x.rank) : w;
    if (own.rank !== x.rank)
      throw new GraphError(
        `average: weights ${printType(w.type)} do not fit ${printType(x.type)}; give the same shape, or a vector and one axis`,
      );
    return x.mul(own).sum(axis, { keepdims }).div(own.broadcastTo(x.shape).sum(axis, { keepdims }));
  },
);

/** A vector as a tensor of `rank` that varies along an axis. */
function alongAxis(vector: Expression, axis: number, rank: number): Expression {
  return vector.reshape(Array.from({ length: rank }, (_, i) => (i === axis ? vector.shape[0]! : 1)));
}

export type Percentile = Operator<
  (x: Operand, q: number | readonly number[], axis?: number, options?: ReduceOptions) => Expression
>;
export const percentile: Percentile = operator(
  compositionRow(
    "percentile",
    family,
    "What so many percent of the elements lie below, linear between two of them (NumPy's default); a list of percents adds a first axis.",
  ),
  (x: Operand, q: number | readonly number[], axis?: number, options?: ReduceOptions) =>
    quantiles("percentile", x, q, 100, axis, options),
);
export const quantile: Percentile = operator(
  compositionRow("quantile", family, "percentile() with fractions from 0 to 1."),
  (x: Operand, q: number | readonly number[], axis?: number, options?: ReduceOptions) =>
    quantiles("quantile", x, q, 1, axis, options),
);
export const median: Operator<(x: Operand, axis?: number, options?: ReduceOptions) => Expression> = operator(
  compositionRow("median", family, "The middle element in order, or the mean of the two."),
  (x: Operand, axis?: number, options?: ReduceOptions) => quantiles("median", x, 50, 100, axis, options),
);

function quantiles(
  who: string,
  operand: Operand,
  q: number | readonly number[],
  whole: number,
  axis: number | undefined,
  { keepdims = false }: ReduceOptions = {},
): Expression {
  const x = toFloat(who, operand);
  const list = typeof q === "number" ? [q] : q;
  for (const each of list)
    if (!(each >= 0 && each <= whole))
      throw new GraphError(`${who}: ${each} is asked for; it lies from 0 to ${whole}`);
  const own = axis === undefined ? 0 : axisOf(who, axis, x.rank);
  const sorted = (axis === undefined ? x.flatten() : x).sort(own);
  const kept = axis === undefined ? x.shape.map(() => 1) : x.shape.with(own, 1);
  const last = dimension(addDims(sorted.shape[own]!, -1), "float64");
  const each = list.map((q) => {
    const place = last.mul(q / whole);
    const below = place.floor();
    const above = below.add(1).minimum(last);
    const [low, high] = [below, above].map((at) => sorted.take(at.cast("int64"), own)) as [
      Expression,
      Expression,
    ];
    const value = low.add(high.sub(low).mul(place.sub(below).cast(x.dtype)));
    return keepdims ? value.reshape(kept) : value;
  });
  return typeof q === "number" ? each[0]! : stacked(each);
}

function stacked(xs: readonly Expression[]): Expression {
  return concat(
    xs.map((x) => x.expandDims(0)),
    0,
  );
}

export const mode: Operator<(x: Operand, axis?: number, options?: ReduceOptions) => Expression> = operator(
  compositionRow("mode", family, "The most frequent element along an axis, the smallest of equals.", false),
  (operand: Operand, axis?: number, { keepdims = false }: ReduceOptions = {}) => {
    const given = toExpression("mode", operand);
    const x = axis === undefined ? given.flatten() : given;
    const own = axis === undefined ? 0 : axisOf("mode", axis, x.rank);
    const length = x.shape[own]!;
    const sorted = x.sort(own);
    // Runs of equals are numbered, their lengths counted; of the longest the first element is the answer.
    const starts = sorted
      .slice([1], [length], [own])
      .notEqual(sorted.slice([0], [addDims(length, -1)], [own]))
      .cast("int64");
    const run = starts
      .pad(
        x.shape.map((_, i) => Number(i === own)),
        x.shape.map(() => 0),
      )
      .cumsum(own);
    const counts = run.mul(0).scatter(run, run.mul(0).add(1), { axis: own, reduction: "add" });
    const first = run
      .equal(counts.argmax(own, { keepdims: true }))
      .cast("int32")
      .argmax(own, { keepdims: true });
    const found = sorted.takeAlongAxis(first, own);
    return keepdims
      ? found.reshape(axis === undefined ? given.shape.map(() => 1) : found.shape)
      : found.squeeze(own);
  },
);

export const bincount: Operator<(x: Operand, length: number, options?: { weights?: Operand }) => Expression> =
  operator(
    compositionRow(
      "bincount",
      family,
      "How often each whole number from 0 below `length` stands in x, or the sum of the weights there; other numbers are not counted.",
    ),
    (operand: Operand, length: number, { weights }: { weights?: Operand } = {}) => {
      const x = toExpression("bincount", operand);
      expectDtype("bincount", "the operand", x, ["int32", "int64", "uint8"]);
      const places = castTo(x, "int64").flatten();
      const inside = places.greaterEqual(0).logicalAnd(places.less(length));
      const given =
        weights === undefined ? toExpression("bincount", 1, "int64") : toExpression("bincount", weights);
      if (weights !== undefined && !sameShape(given.shape, x.shape))
        throw new GraphError(
          `bincount: weights ${printType(given.type)} do not fit ${printType(x.type)}; give one for each element`,
        );
      const each = weights === undefined ? given.broadcastTo(places.shape) : given.flatten();
      const counted = inside.where(each, toExpression("bincount", 0, each.dtype));
      return toExpression("bincount", 0, each.dtype)
        .broadcastTo([length])
        .scatter(inside.where(places, 0), counted, { axis: 0, reduction: "add" });
    },
  );

export const zScore: Operator<(x: Operand, axis?: Axis, options?: { ddof?: number }) => Expression> =
  operator(
    compositionRow("zScore", family, "How many standard deviations each element lies from the mean."),
    (operand: Operand, axis?: Axis, { ddof = 0 }: { ddof?: number } = {}) => {
      const x = toFloat("zScore", operand);
      return x.sub(x.mean(axis, { keepdims: true })).div(std(x, axis, { ddof, keepdims: true }));
    },
  );
export const minMaxScale: Operator<(x: Operand, axis?: Axis) => Expression> = operator(
  compositionRow("minMaxScale", family, "The elements brought to the range from 0 to 1."),
  (operand: Operand, axis?: Axis) => {
    const x = toFloat("minMaxScale", operand);
    const low = x.min(axis, { keepdims: true });
    return x.sub(low).div(x.max(axis, { keepdims: true }).sub(low));
  },
);

export const covariance: Operator<(x: Operand, options?: { ddof?: number }) => Expression> = operator(
  compositionRow(
    "covariance",
    family,
    "The covariances of the rows of a matrix, each a variable observed along the columns; ddof is 1 unless told.",
  ),
  (operand: Operand, { ddof = 1 }: { ddof?: number } = {}) => {
    const x = toFloat("covariance", operand);
    if (x.rank !== 2)
      throw new GraphError(
        `covariance: the operand is ${printType(x.type)}; it must be a matrix, a row for each variable`,
      );
    const centred = x.sub(x.mean(1, { keepdims: true }));
    return centred.matmul(centred.transpose()).div(dimension(addDims(x.shape[1]!, -ddof), x.dtype));
  },
);
export const pearson: Operator<(a: Operand, b: Operand, axis?: number) => Expression> = operator(
  compositionRow("pearson", family, "Pearson's correlation of a and b along an axis, the last unless told."),
  (first: Operand, second: Operand, axis = -1) => {
    const [a, b] = meet("pearson", first, second)
      .map((x) => toFloat("pearson", x))
      .map((x) => x.sub(x.mean(axis, { keepdims: true }))) as [Expression, Expression];
    return a
      .mul(b)
      .sum(axis)
      .div(a.l2Norm(axis).mul(b.l2Norm(axis)));
  },
);

export { covariance as cov, minMaxScale as normalize, pearson as pearsonCorrelation, zScore as standardize };
