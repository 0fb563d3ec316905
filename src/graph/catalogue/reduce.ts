// Reductions over axes. All of them take `axis` (one, several, or none for all) and `{ keepdims }`, as in NumPy. Where there is NaN, max and min are
// what the engine makes of it.
import { dimension } from "../creation.js";
import type { Expression } from "../expression.js";
import { FLOATS } from "../kernels.js";
import { castTo, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator } from "../row.js";
import { reduction, SUMS, type Axis, type ReduceOptions, type Reduction, type Spec } from "./reduction.js";

/** Expands a gradient over the reduced axes: where every copy is equal it is still one value to the engine. */
function spread(g: Expression, like: Expression): Expression {
  return g.broadcastTo(like.shape);
}

function byExtreme(
  { inputs, y, g, full }: Parameters<Spec["gradient"]>[0],
  axes: readonly number[],
): Expression {
  const x = inputs[0]!;
  const hit = x.equal(full(y)).cast(x.dtype);
  return hit.mul(full(g)).div(hit.sum(axes, { keepdims: true }));
}

export const sum: Reduction = reduction("sum", "ReduceSum", {
  doc: "The sum over axes; bool and uint8 are counted in int64.",
  start: 0,
  step: (a, b) => a + b,
  join: "add",
  kernels: SUMS,
  widen: true,
  gradient: ({ inputs, g, full }) => spread(full(g), inputs[0]!),
});
export const mean: Reduction = reduction("mean", "ReduceMean", {
  doc: "The mean over axes; integers become float32 first.",
  start: 0,
  step: (a, b) => a + b,
  end: (total, n) => total / n,
  kernels: FLOATS,
  gradient: ({ inputs, g, full, count: n }) => spread(full(g).div(dimension(n, g.dtype)), inputs[0]!),
});
export const max: Reduction = reduction("max", "ReduceMax", {
  doc: "The largest over axes; ties share the gradient.",
  start: -Infinity,
  step: Math.max,
  join: "max",
  kernels: [...SUMS, "uint8", "bool"],
  gradient: (b) => byExtreme(b, b.attrs.axes),
});
export const min: Reduction = reduction("min", "ReduceMin", {
  doc: "The smallest over axes; ties share the gradient.",
  start: Infinity,
  step: Math.min,
  join: "min",
  kernels: [...SUMS, "uint8", "bool"],
  gradient: (b) => byExtreme(b, b.attrs.axes),
});

export const prod: Reduction = reduction("prod", "ReduceProd", {
  doc: "The product over axes; bool and uint8 become int64 first.",
  start: 1,
  step: (a, b) => a * b,
  join: "mul",
  kernels: SUMS,
  widen: true,
  gradient: ({ inputs, g, full, attrs: { axes } }) => {
    // The product of the others: of all by the element, and where one is zero, of those that are not.
    const x = inputs[0]!;
    const zero = x.equal(0);
    const own = zero.where(1, x);
    const zeros = zero.cast(x.dtype).sum(axes, { keepdims: true });
    const others = zeros.sub(zero.cast(x.dtype)).equal(0).cast(x.dtype);
    return full(g)
      .mul(own.prod(axes, { keepdims: true }).div(own))
      .mul(others);
  },
});
export const sumSquares: Reduction = reduction("sumSquares", "ReduceSumSquare", {
  doc: "The sum of squares over axes.",
  start: 0,
  step: (a, b) => a + b * b,
  join: "add",
  kernels: FLOATS,
  gradient: ({ inputs, g, full }) => full(g).mul(inputs[0]!).mul(2),
});
export const l1Norm: Reduction = reduction("l1Norm", "ReduceL1", {
  doc: "The sum of absolute values over axes.",
  start: 0,
  step: (a, b) => a + Math.abs(b),
  join: "add",
  kernels: FLOATS,
  gradient: ({ inputs, g, full }) => full(g).mul(inputs[0]!.sign()),
});
export const l2Norm: Reduction = reduction("l2Norm", "ReduceL2", {
  doc: "The square root of the sum of squares over axes; its gradient at 0 is 0.",
  start: 0,
  step: (a, b) => a + b * b,
  end: Math.sqrt,
  kernels: FLOATS,
  gradient: ({ inputs, y, g, full }) => full(g.div(y.equal(0).where(1, y))).mul(inputs[0]!),
});
export const logSumExp: Reduction = reduction("logSumExp", "ReduceLogSumExp", {
  doc: "The logarithm of the sum of exponentials over axes, without overflow.",
  start: -Infinity,
  step: (a, b) => (a === b ? a + Math.LN2 : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))),
  kernels: FLOATS,
  gradient: ({ inputs, y, g, full }) => full(g).mul(inputs[0]!.sub(full(y)).exp()),
});

/** True where any, or every, element is not 0. */
function quantifier(name: string, doc: string, reduce: "max" | "min"): Reduction {
  return operator(
    compositionRow(name, "reduce", doc, false),
    (operand: Operand, axis?: Axis, options?: ReduceOptions) =>
      castTo(toExpression(name, operand), "bool")[reduce](axis, options),
  );
}
export const any: Reduction = quantifier("any", "True where some element over axes is not 0.", "max");
export const all: Reduction = quantifier("all", "True where no element over axes is 0.", "min");

export type { Axis, ReduceOptions, Reduction } from "./reduction.js";
export * from "./extremes.js";
export { max as amax, logSumExp as logsumexp, min as amin };
export * from "./scan.js";
