// Expressions made of nothing: constants of a shape, ranges, and dimensions as numbers.
import { DTYPES, fromNumbers, Tensor, toTensor, type DType } from "../tensor/index.js";
import type { Dim } from "./dim.js";
import { Expression, Node } from "./expression.js";
import { constant } from "./operand.js";
import { dimensionRow } from "./source.js";

export interface CreationOptions {
  readonly dtype?: DType;
  readonly name?: string;
}

export function zeros(
  shape: readonly number[],
  { dtype = "float32", name }: CreationOptions = {},
): Expression {
  return constant(new Tensor(dtype, shape, new DTYPES[dtype].array(shape.reduce((a, b) => a * b, 1))), name);
}

export function full(
  shape: readonly number[],
  value: number,
  { dtype = "float32", name }: CreationOptions = {},
): Expression {
  const size = shape.reduce((a, b) => a * b, 1);
  return constant(new Tensor(dtype, shape, fromNumbers(dtype, new Float64Array(size).fill(value))), name);
}

export function ones(shape: readonly number[], options: CreationOptions = {}): Expression {
  return full(shape, 1, options);
}

/** start, start + step, ... below stop; `arange(n)` counts from 0. Whole numbers give int64, others float32. */
export function arange(
  start: number,
  stop?: number,
  step = 1,
  { dtype, name }: CreationOptions = {},
): Expression {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const values = Float64Array.from(
    { length: Math.max(0, Math.ceil((to - from) / step)) },
    (_, i) => from + i * step,
  );
  return constant(
    toTensor(values, {
      dtype: dtype ?? (Number.isInteger(from) && Number.isInteger(step) ? "int64" : "float32"),
    }),
    name,
  );
}

/** A dimension as a scalar: a constant where it is known, else read when the graph runs. */
export function dimension(dim: Dim, dtype: DType = "int64"): Expression {
  if (typeof dim === "number") return full([], dim, { dtype });
  return new Expression(new Node(dimensionRow, [], { dim, dtype }, [{ dtype, shape: [] }]), 0);
}
