// The pattern of ONNX's Reduce operators: axes, kept dimensions, cuts and the interpreter's loop.
import { divideDims, sizeOf, type Dim } from "../dim.js";
import type { DType } from "../../tensor/index.js";
import { apply, type Expression } from "../expression.js";
import { count, eachIndex, Nd, stridesOf, wrapTo } from "../nd.js";
import { castTo, toExpression, toFloat, type Operand } from "../operand.js";
import { operator, tensorRow, type Backward, type Cut, type Operator } from "../row.js";
import { axesOf, isFloat } from "../shape.js";
import { bound } from "./pattern.js";

export type Axis = number | readonly number[];
export interface ReduceOptions {
  /** Keep each reduced axis with length 1. */
  readonly keepdims?: boolean;
}
export type Reduction = Operator<(x: Operand, axis?: Axis, options?: ReduceOptions) => Expression>;
export interface ReduceAttrs {
  readonly axes: readonly number[];
  readonly keepdims: number;
}

export interface Spec {
  readonly doc: string;
  /** The identity, how one element joins, and the end, given the number of elements. */
  readonly start: number;
  readonly step: (total: number, value: number) => number;
  readonly end?: (total: number, count: number) => number;
  readonly join?: Cut["join"];
  readonly kernels: readonly DType[];
  /** Bool and uint8 count in int64, since sums outgrow them. */
  readonly widen?: boolean;
  readonly gradient: (
    backward: Backward<ReduceAttrs> & {
      readonly full: (reduced: Expression) => Expression;
      readonly count: Dim;
    },
  ) => Expression;
}

/** The row of an ONNX Reduce operator. */
export function reduction(name: string, onnx: string, spec: Spec): Reduction {
  const row = tensorRow<ReduceAttrs>({
    name,
    family: "reduce",
    doc: spec.doc,
    onnx,
    kernels: spec.kernels,
    attributes: { keepdims: "int" },
    operands: { axes: "ints" },
    infer: ([x], { axes, keepdims }) => [
      {
        dtype: x!.dtype,
        shape: keepdims
          ? x!.shape.map((dim, i) => (axes.includes(i) ? 1 : dim))
          : x!.shape.filter((_, i) => !axes.includes(i)),
      },
    ],
    flops: ({ inputs: [x] }) => count(bound(x!)),
    gradient: (backward) => {
      const { inputs, attrs, y } = backward;
      const x = inputs[0]!;
      const full = (reduced: Expression): Expression =>
        attrs.keepdims ? reduced : reduced.expandDims(attrs.axes);
      return [
        spec.gradient({
          ...backward,
          full,
          count:
            divideDims(sizeOf(x.shape), sizeOf(y.shape)) ?? sizeOf(attrs.axes.map((axis) => x.shape[axis]!)),
        }),
      ];
    },
    evaluate: ([x], { axes }, { outputs: [out] }) => [reduceNd(x!, axes, bound(out!), spec)],
    cuts: ({ inputs: [x], attrs }) => reduceCuts(x!.shape.length, attrs, spec.join),
  });
  const floatsOnly = spec.kernels.every(isFloat);
  return operator(row, (operand: Operand, axis?: Axis, { keepdims = false }: ReduceOptions = {}) => {
    const given = floatsOnly ? toFloat(name, operand) : toExpression(name, operand);
    const narrow = given.dtype === "bool" || given.dtype === "uint8";
    const x = spec.widen && narrow ? castTo(given, "int64") : given;
    const axes = axesOf(name, axis, x.rank);
    return axes.length === 0 ? x : apply(row, [x], { axes, keepdims: Number(keepdims) });
  });
}

/** Kept axes concatenate; reduced ones join by the reduction itself, where it is associative. */
function reduceCuts(rank: number, { axes, keepdims }: ReduceAttrs, join: Cut["join"] | undefined): Cut[] {
  return Array.from({ length: rank }, (_, axis): Cut[] => {
    if (axes.includes(axis)) return join === undefined ? [] : [{ inputs: [axis], join }];
    const gone = keepdims ? 0 : axes.filter((reduced) => reduced < axis).length;
    return [{ inputs: [axis], join: { concat: axis - gone } }];
  }).flat();
}

function reduceNd(x: Nd, axes: readonly number[], shape: readonly number[], { start, step, end }: Spec): Nd {
  const kept = x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
  const strides = stridesOf(kept).map((stride, i) => (axes.includes(i) ? 0 : stride));
  const data = new Float64Array(count(kept)).fill(start);
  eachIndex(x.shape, (index, flat) => {
    let at = 0;
    for (let i = 0; i < index.length; i++) at += index[i]! * strides[i]!;
    data[at] = step(data[at]!, x.data[flat]!);
  });
  const each = data.length ? x.data.length / data.length : 0;
  const wrap = wrapTo(x.dtype);
  return new Nd(
    x.dtype,
    shape,
    data.map((total) => wrap(end ? end(total, each) : total)),
  );
}

export const SUMS = ["float32", "float64", "int32", "int64"] as const;
