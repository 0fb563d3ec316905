// To whole numbers and within limits: floor, round, whole division, remainders, clip.
import type { DType } from "../../tensor/index.js";
import { GraphError } from "../error.js";
import { apply, Expression } from "../expression.js";
import { NUMBERS } from "../kernels.js";
import { mapBroadcast } from "../nd.js";
import { castTo, meet, toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Operator } from "../row.js";
import { broadcast, isFloat } from "../shape.js";
import { bound, elements, elementwiseCuts, unary, type Binary, type Unary } from "./pattern.js";

const family = "elementwise" as const;

export const floor: Unary = unary("floor", "Floor", {
  doc: "The whole number below.",
  f: Math.floor,
  gradient: "zero",
});
export const ceil: Unary = unary("ceil", "Ceil", {
  doc: "The whole number above.",
  f: Math.ceil,
  gradient: "zero",
});
export const round: Unary = unary("round", "Round", {
  doc: "The nearest whole number; halves go to the even one.",
  f: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  gradient: "zero",
});
export const trunc: Unary = operator(
  compositionRow("trunc", family, "The whole number towards zero."),
  (operand: Operand) => {
    const x = toFloat("trunc", operand);
    return x.less(0).where(x.ceil(), x.floor());
  },
);

const quotientRow = tensorRow({
  name: "quotient",
  family,
  doc: "a / b of integers, rounded towards zero as in C; 0 where b is 0.",
  onnx: "Div",
  kernels: ["int32", "int64"],
  infer: ([a, b]) => [{ dtype: a!.dtype, shape: broadcast("quotient", a!.shape, b!.shape) }],
  flops: elements,
  gradient: "zero",
  evaluate: (inputs, _, { outputs: [out] }) => [
    mapBroadcast(out!.dtype, bound(out!), inputs, (a, b) => Math.trunc(a / b)),
  ],
  cuts: elementwiseCuts,
});
export const quotient: Binary = operator(quotientRow, (first: Operand, second: Operand) => {
  const [a, b] = meet("quotient", first, second).map(whole) as [Expression, Expression];
  if (isFloat(a.dtype))
    throw new GraphError(`quotient: the operands are ${a.dtype}; it divides integers, floats have div()`);
  return guarded(a, b, (safe) => apply(quotientRow, [a, safe]), a.neg());
});

const remainderRow = tensorRow<{ fmod: number }>({
  name: "fmod",
  family,
  doc: "What is left of a after whole division by b, with the sign of a, as in C; 0 where an integer b is 0.",
  onnx: "Mod",
  attributes: { fmod: "int" },
  kernels: NUMBERS,
  infer: ([a, b]) => [{ dtype: a!.dtype, shape: broadcast("fmod", a!.shape, b!.shape) }],
  flops: (io) => 4 * elements(io),
  gradient: ({ inputs: [a, b], g }) => [g, g.mul(a!.div(b!).trunc()).neg()],
  evaluate: (inputs, { fmod }, { outputs: [out] }) => [
    mapBroadcast(out!.dtype, bound(out!), inputs, (a, b) => {
      const rest = a % b;
      return fmod || rest === 0 || rest < 0 === b < 0 ? rest : rest + b;
    }),
  ],
  cuts: elementwiseCuts,
});
export const fmod: Binary = operator(remainderRow, (first: Operand, second: Operand) => {
  const [a, b] = meet("fmod", first, second).map(whole) as [Expression, Expression];
  if (isFloat(a.dtype)) return apply(remainderRow, [a, b], { fmod: 1 });
  return guarded(
    a,
    b,
    (safe) => apply(remainderRow, [a, safe], { fmod: 1 }),
    toExpression("fmod", 0, a.dtype),
  );
});

export const mod: Binary = operator(
  compositionRow(
    "mod",
    family,
    "What is left of a after floorDivide by b, with the sign of b; 0 where an integer b is 0.",
  ),
  (first: Operand, second: Operand) => {
    const [a, b] = meet("mod", first, second).map(whole) as [Expression, Expression];
    if (!isFloat(a.dtype))
      return guarded(
        a,
        b,
        (safe) => apply(remainderRow, [a, safe], { fmod: 0 }),
        toExpression("mod", 0, a.dtype),
      );
    const rest = a.fmod(b);
    const across = rest.mul(b.sign()).less(0);
    return across.where(rest.add(b), rest);
  },
);

export const floorDivide: Binary = operator(
  compositionRow(
    "floorDivide",
    family,
    "The whole number below a / b; integers stay integers, and give 0 where b is 0.",
  ),
  (first: Operand, second: Operand) => {
    const [a, b] = meet("floorDivide", first, second).map(whole) as [Expression, Expression];
    if (!isFloat(a.dtype)) return a.sub(a.mod(b)).quotient(b);
    return b.equal(0).where(a.div(b), a.sub(a.mod(b)).div(b).round());
  },
);

/** Bool operands count as 0 and 1. */
function whole(x: Expression): Expression {
  return x.dtype === "bool" ? castTo(x, "int32") : x;
}

/** Integer division by 0, and of the least integer by -1, stop a processor: those divisors never reach it. */
function guarded(
  a: Expression,
  b: Expression,
  divide: (safe: Expression) => Expression,
  byMinusOne: Expression,
): Expression {
  const known = b.node.source?.value;
  if (known && Array.from(known.data as ArrayLike<number | bigint>, Number).every((v) => v !== 0 && v !== -1))
    return divide(b);
  const zero = b.equal(0);
  const minus = b.equal(-1);
  const safe = divide(zero.logicalOr(minus).where(1, b));
  return zero.where(0, a.dtype === "uint8" ? safe : minus.where(byMinusOne, safe));
}

interface ClipAttrs {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}
const clipRow = tensorRow<ClipAttrs>({
  name: "clip",
  family,
  doc: "x within limits; its gradient is 0 outside them.",
  onnx: "Clip",
  operands: { min: "value", max: "value" },
  kernels: NUMBERS,
  infer: ([x]) => [x!],
  flops: (io) => 2 * elements(io),
  gradient: ({ inputs: [x], g, attrs: { min, max } }) => [
    [
      ...(min === undefined ? [] : [x!.greaterEqual(min)]),
      ...(max === undefined ? [] : [x!.lessEqual(max)]),
    ].reduce((g, inside) => g.mul(inside.cast(g.dtype)), g),
  ],
  evaluate: ([x], { min = -Infinity, max = Infinity }) => [
    mapBroadcast(x!.dtype, x!.shape, [x!], (v) => Math.min(Math.max(v, min), max)),
  ],
  cuts: elementwiseCuts,
});
export const clip: Operator<(x: Operand, low?: Operand, high?: Operand) => Expression> = operator(
  clipRow,
  (operand: Operand, low: Operand = -Infinity, high: Operand = Infinity) => {
    if (typeof low !== "number" || typeof high !== "number") {
      const raised =
        low === -Infinity ? toExpression("clip", operand) : toExpression("clip", operand).maximum(low);
      return high === Infinity ? raised : raised.minimum(high);
    }
    if (!(low <= high))
      throw new GraphError(`clip: the limits are ${low} and ${high}; the lower comes first`);
    const x = fitting(toExpression("clip", operand), [low, high]);
    const [least, most] = LIMITS[x.dtype] ?? [-Infinity, Infinity];
    const min = low > least ? Math.min(low, most) : undefined;
    const max = high < most ? Math.max(high, least) : undefined;
    return min === undefined && max === undefined
      ? x
      : apply(clipRow, [x], { ...(min !== undefined && { min }), ...(max !== undefined && { max }) });
  },
);

const LIMITS: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
};

/** Integers stay integers where the limits are whole, too. */
function fitting(x: Expression, limits: readonly number[]): Expression {
  if (isFloat(x.dtype)) return x;
  if (limits.some((limit) => Number.isFinite(limit) && !Number.isInteger(limit))) return toFloat("clip", x);
  return whole(x);
}

export { clip as clamp, mod as remainder };
