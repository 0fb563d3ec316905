// Random orders and choices.
import { dimension } from "../creation.js";
import type { Dim, Shape } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { toExpression, type Operand } from "../operand.js";
import { compositionRow, maker, operator, type Maker, type Operator } from "../row.js";
import { axisOf, printType } from "../shape.js";
import { randint, uniform } from "./distributions.js";
import type { RandomKey } from "./words.js";

const family = "random" as const;

export const permutation: Maker<(key: RandomKey, length: Dim) => Expression> = maker(
  compositionRow(
    "permutation",
    family,
    "The numbers from 0 below `length` in random order, as int64.",
    false,
  ),
  (key: RandomKey, length: Dim) => uniform(key, [length], { dtype: "float64" }).argsort(),
);

export const shuffle: Operator<(x: Operand, key: RandomKey, axis?: number) => Expression> = operator(
  compositionRow("shuffle", family, "The slices along an axis, the first unless told, in random order."),
  (operand: Operand, key: RandomKey, axis = 0) => {
    const x = toExpression("shuffle", operand);
    const own = axisOf("shuffle", axis, x.rank);
    return x.take(permutation(key, x.shape[own]!), own);
  },
);

export interface ChoiceOptions {
  /** Whether one may be chosen again; true unless told. */
  readonly replace?: boolean;
  /** How likely each is, in any unit. Only with replacement. */
  readonly weights?: Operand;
}
export const choice: Maker<
  (key: RandomKey, from: Operand, shape: Shape, options?: ChoiceOptions) => Expression
> = maker(
  compositionRow(
    "choice",
    family,
    "Slices of `from` along its first axis, or numbers from 0 below it where it is a number, chosen at random.",
  ),
  (key: RandomKey, from: Operand, shape: Shape, { replace = true, weights }: ChoiceOptions = {}) => {
    const source = typeof from === "number" ? undefined : toExpression("choice", from);
    const length = source ? source.shape[0] : (from as number);
    if (length === undefined || length === 0)
      throw new GraphError(
        `choice: there is nothing to choose from in ${source ? printType(source.type) : "0"}`,
      );
    const places = replace
      ? weights === undefined
        ? anyOf(key, length, shape)
        : weighted(key, toExpression("choice", weights), length, shape)
      : distinct(key, length, shape, weights);
    return source ? source.take(places, 0) : places;
  },
);

function anyOf(key: RandomKey, length: Dim, shape: Shape): Expression {
  if (typeof length === "number") return randint(key, shape, 0, length);
  const last = dimension(length, "float64");
  return uniform(key, shape, { dtype: "float64" }).mul(last).floor().minimum(last.sub(1)).cast("int64");
}

/** How many of the running totals lie at or below a number drawn up to the last of them. */
function weighted(key: RandomKey, weights: Expression, length: Dim, shape: Shape): Expression {
  if (weights.rank !== 1 || weights.shape[0] !== length)
    throw new GraphError(
      `choice: the weights are ${printType(weights.type)}; give one for each of the ${length} to choose from`,
    );
  const totals = weights.cast("float64").cumsum(0);
  const drawn = uniform(key, shape, { dtype: "float64" }).mul(totals.take(dimension(length).sub(1), 0));
  const below = drawn.expandDims(-1).greaterEqual(totals).sum(-1);
  return below.minimum(dimension(length).sub(1));
}

function distinct(key: RandomKey, length: Dim, shape: Shape, weights: Operand | undefined): Expression {
  if (weights !== undefined)
    throw new GraphError("choice: weights without replacement are not offered; leave out one of the two");
  const count = shape.reduce<number>((n, dim) => n * Number(dim), 1);
  if (Number.isNaN(count) || (typeof length === "number" && count > length))
    throw new GraphError(
      `choice: [${shape.join(",")}] cannot be chosen from ${length} without replacement; the shape is whole numbers with a product up to that`,
    );
  return permutation(key, length).slice([0], [count], [0]).reshape(shape);
}
