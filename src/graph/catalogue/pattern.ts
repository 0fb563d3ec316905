// Patterns that many rows share: one operand, two broadcast operands, and how such rows are cut and counted.
import type { DType } from "../../tensor/index.js";
import { apply, type Expression } from "../expression.js";
import { FLOATS, SIGNED } from "../kernels.js";
import { count, mapBroadcast } from "../nd.js";
import { meet, toExpression, toFloat, type Operand } from "../operand.js";
import { operator, tensorRow, type Backward, type Cut, type Family, type Io, type Operator } from "../row.js";
import { broadcast, isFloat, type Type } from "../shape.js";

export type Unary = Operator<(x: Operand) => Expression>;
export type Binary = Operator<(a: Operand, b: Operand) => Expression>;

type NoAttrs = Record<never, never>;
type Rule = ((backward: Backward<NoAttrs>) => readonly (Expression | undefined)[]) | "zero";

interface Pattern {
  readonly doc: string;
  readonly family?: Family;
  /** In float64, one element. */
  readonly f: (...values: number[]) => number;
  readonly gradient?: Rule;
  readonly kernels?: readonly DType[];
  /** FLOPs an element, by convention of 1 for a kernel without loops. */
  readonly flops?: number;
  /** The dtype of the result, where it is not the operands'. */
  readonly result?: DType;
}

/** `f` on each element. Integers become float32 first where the kernels are for floats only. */
export function unary(name: string, onnx: string, pattern: Pattern): Unary {
  const { doc, f, gradient, family = "elementwise", kernels = FLOATS, flops = 1, result } = pattern;
  const row = tensorRow<NoAttrs>({
    name,
    family,
    doc,
    onnx,
    kernels,
    elementwise: true,
    infer: ([x]) => [{ dtype: result ?? x!.dtype, shape: x!.shape }],
    flops: (io) => flops * elements(io),
    ...(gradient && { gradient }),
    evaluate: ([x], _, { outputs: [out] }) => [mapBroadcast(out!.dtype, x!.shape, [x!], f)],
    cuts: elementwiseCuts,
  });
  const floatsOnly = kernels.every(isFloat);
  return operator(row, (x: Operand) => apply(row, [floatsOnly ? toFloat(name, x) : toExpression(name, x)]));
}

const COMMUTATIVE: ReadonlySet<string> = new Set([
  "Add",
  "Mul",
  "Max",
  "Min",
  "Equal",
  "And",
  "Or",
  "Xor",
  "BitwiseAnd",
  "BitwiseOr",
  "BitwiseXor",
]);

/** `f` on each pair of elements, broadcast as in NumPy. */
export function binary(name: string, onnx: string, pattern: Pattern): Binary {
  const { doc, f, gradient, family = "elementwise", kernels = SIGNED, flops = 1, result } = pattern;
  const row = tensorRow<NoAttrs>({
    name,
    family,
    doc,
    onnx,
    kernels,
    elementwise: true,
    commutative: COMMUTATIVE.has(onnx),
    infer: ([a, b]) => [{ dtype: result ?? a!.dtype, shape: broadcast(name, a!.shape, b!.shape) }],
    flops: (io) => flops * elements(io),
    ...(gradient && { gradient }),
    evaluate: (inputs, _, { outputs: [out] }) => [mapBroadcast(out!.dtype, bound(out!), inputs, f)],
    cuts: elementwiseCuts,
  });
  const floatsOnly = kernels.every(isFloat);
  return operator(row, (a: Operand, b: Operand) => {
    const operands = meet(name, a, b);
    return apply(row, floatsOnly ? operands.map((x) => toFloat(name, x)) : operands);
  });
}

/** A type's shape once it is bound. */
export function bound(type: Type): readonly number[] {
  return type.shape as readonly number[];
}

/** The number of elements of the first output, shapes being bound. */
export function elements(io: Io<unknown>): number {
  return count(bound(io.outputs[0]!));
}

/** Each output axis can be cut; inputs that are broadcast along it go whole to every piece. */
export function elementwiseCuts({ inputs, outputs }: Io<unknown>): Cut[] {
  const out = outputs[0]!.shape;
  return out.flatMap((dim, axis) => {
    if (dim === 1) return [];
    return {
      inputs: inputs.map(({ shape }) => {
        const own = axis - out.length + shape.length;
        return own < 0 || shape[own] === 1 ? null : own;
      }),
      join: { concat: axis },
    };
  });
}
