// Attention and the positions that go with it, each a composition.
import { toTensor } from "../../tensor/index.js";
import { arange, dimension, ones } from "../creation.js";
import { addDims, mulDims, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { constant, meet, toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, maker, operator, type Maker, type Operator } from "../row.js";
import { isFloat, printType } from "../shape.js";
import { concat } from "./shaping.js";

const family = "nn" as const;

export interface AttentionOptions {
  /** Bool (true: look there) or float (added to the scores), broadcast to [..., queries, keys]. */
  readonly mask?: Operand;
  /** Each query looks only at keys up to its own place; the last query stands at the last key. */
  readonly causal?: boolean;
  /** The scores' factor; 1 / sqrt(width) unless told. */
  readonly scale?: number;
}

export const attention: Operator<
  (queries: Operand, keys: Operand, values: Operand, options?: AttentionOptions) => Expression
> = operator(
  compositionRow(
    "attention",
    family,
    "softmax(queries keysᵀ * scale + mask) values, for queries [..., m, width], keys [..., n, width] and values [..., n, any].",
  ),
  (
    first: Operand,
    second: Operand,
    third: Operand,
    { mask, causal = false, scale }: AttentionOptions = {},
  ) => {
    const [q, k, v] = meet("attention", first, second, third).map((x) => toFloat("attention", x)) as [
      Expression,
      Expression,
      Expression,
    ];
    const width = knownWidth("attention", q);
    if (k.rank < 2 || v.rank < 2 || k.shape.at(-1) !== width || k.shape.at(-2) !== v.shape.at(-2))
      throw new GraphError(
        `attention: queries ${printType(q.type)}, keys ${printType(k.type)} and values ${printType(v.type)} do not fit; ` +
          `they are [..., m, width], [..., n, width] and [..., n, any]`,
      );
    let scores = q.mul(scale ?? 1 / Math.sqrt(width)).matmul(swap(k));
    const never = q.dtype === "float16" ? -6e4 : -1e30;
    if (causal) scores = upTo(q.shape.at(-2)!, k.shape.at(-2)!).where(scores, never);
    if (mask !== undefined) {
      const given = toExpression("attention", mask);
      if (given.dtype !== "bool" && !isFloat(given.dtype))
        throw new GraphError(
          `attention: the mask is ${printType(given.type)}; it must be bool (true: look there) or float (added to the scores)`,
        );
      scores = given.dtype === "bool" ? given.where(scores, never) : scores.add(given.cast(scores.dtype));
    }
    return scores.softmax(-1).matmul(v);
  },
);

export interface HeadsOptions extends AttentionOptions {
  /** Heads of keys and values, each shared by several heads of queries; as many as those unless told. */
  readonly keyHeads?: number;
}

export const multiHeadAttention: Operator<
  (queries: Operand, keys: Operand, values: Operand, heads: number, options?: HeadsOptions) => Expression
> = operator(
  compositionRow(
    "multiHeadAttention",
    family,
    "attention() by heads that lie side by side in the last axis: queries [..., m, heads * width] give [..., m, heads * any]. A mask has no axis for heads.",
  ),
  (
    first: Operand,
    second: Operand,
    third: Operand,
    heads: number,
    { keyHeads = heads, mask, ...options }: HeadsOptions = {},
  ) => {
    const who = "multiHeadAttention";
    if (heads % keyHeads !== 0)
      throw new GraphError(`${who}: ${heads} heads of queries do not share ${keyHeads} heads of keys evenly`);
    // [..., length, keyHeads, shared, width] becomes [..., keyHeads, shared, length, width].
    const split = (operand: Operand, shared: number): Expression => {
      const x = toFloat(who, operand);
      const width = knownWidth(who, x);
      if (width % (keyHeads * shared) !== 0)
        throw new GraphError(
          `${who}: ${printType(x.type)} does not divide into ${keyHeads * shared} heads; its last dimension must be a multiple`,
        );
      const lead = x.rank - 2;
      const parts = x.reshape([...x.shape.slice(0, -1), keyHeads, shared, width / keyHeads / shared]);
      return parts.transpose([...places(lead), lead + 1, lead + 2, lead, lead + 3]);
    };
    const given = mask === undefined ? undefined : toExpression(who, mask);
    const result = split(first, heads / keyHeads).attention(split(second, 1), split(third, 1), {
      ...options,
      ...(given && { mask: given.rank > 2 ? given.expandDims([-4, -3]) : given }),
    });
    const lead = result.rank - 4;
    const side = result.transpose([...places(lead), lead + 2, lead, lead + 1, lead + 3]);
    return side.reshape([...side.shape.slice(0, -3), heads * knownWidth(who, side)]);
  },
);

export interface RotaryOptions {
  /** The place of each row of x; 0, 1, 2, ... unless given. Integers [length], or with axes in front. */
  readonly positions?: Operand;
  /** The slowest rotation takes about this many places; 10,000 unless told. */
  readonly base?: number;
}

export const rotary: Operator<(x: Operand, options?: RotaryOptions) => Expression> = operator(
  compositionRow(
    "rotary",
    family,
    "Rotary position embedding of x [..., length, width]: pairs (i, i + width / 2) turned by an angle that grows with the place.",
  ),
  (operand: Operand, { positions, base = 10_000 }: RotaryOptions = {}) => {
    const x = toFloat("rotary", operand);
    const width = knownWidth("rotary", x);
    if (width % 2 !== 0)
      throw new GraphError(`rotary: ${printType(x.type)} has an odd last dimension; pairs are turned`);
    // Angles reach far beyond what float16 counts.
    const dtype = x.dtype === "float64" ? "float64" : "float32";
    const half = width / 2;
    const speeds = Float64Array.from({ length: half }, (_, i) => base ** (-i / half));
    const places = positions === undefined ? upFrom0(x.shape.at(-2)!) : toExpression("rotary", positions);
    const angles = places
      .expandDims(-1)
      .cast(dtype)
      .mul(constant(toTensor(speeds, { dtype })));
    const [cos, sin] = [angles.cos().cast(x.dtype), angles.sin().cast(x.dtype)];
    const [a, b] = [x.slice([0], [half], [-1]), x.slice([half], [width], [-1])];
    return concat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1);
  },
);

export const sinusoidalPositions: Maker<(length: number, width: number, base?: number) => Expression> = maker(
  compositionRow(
    "sinusoidalPositions",
    family,
    "The constant [length, width] of sines and cosines that marks places in the first transformers.",
  ),
  (length: number, width: number, base = 10_000) =>
    constant(
      toTensor(
        Float64Array.from({ length: length * width }, (_, at) => {
          const [place, i] = [Math.floor(at / width), at % width];
          const angle = place / base ** ((i - (i % 2)) / width);
          return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
        }),
        { dtype: "float32", shape: [length, width] },
      ),
    ),
);

/** For each query and key whether the key comes no later, the last ones standing side by side. */
function upTo(queries: Dim, keys: Dim): Expression {
  const ahead = addDims(keys, mulDims(queries, -1));
  const own = upFrom0(queries);
  return (ahead === 0 ? own : own.add(dimension(ahead))).expandDims(-1).greaterEqual(upFrom0(keys));
}

/** 0, 1, 2, ... as int64. */
function upFrom0(length: Dim): Expression {
  if (typeof length === "number") return arange(length);
  return ones([], { dtype: "int64" }).broadcastTo([length]).cumsum(0, { exclusive: true });
}

function knownWidth(who: string, x: Expression): number {
  const width = x.shape.at(-1);
  if (x.rank < 2 || typeof width !== "number")
    throw new GraphError(`${who}: ${printType(x.type)} must be [..., length, width], with a known width`);
  return width;
}

function places(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function swap(x: Expression): Expression {
  return x.transpose([...places(x.rank - 2), x.rank - 1, x.rank - 2]);
}
