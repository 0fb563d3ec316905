// What gather and scatter share: which indices fit which shapes, and the loops over them. No rows.
import { full } from "../creation.js";
import type { Shape } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { count, eachIndex, stridesOf, type Nd } from "../nd.js";
import { castTo, expectDtype, toExpression, type Operand } from "../operand.js";
import { printType, type Type } from "../shape.js";

export function zeros(like: Expression, shape: Shape): Expression {
  return full([], 0, { dtype: like.dtype }).broadcastTo(shape);
}

/** Indices as an integer expression that ONNX takes. */
export function positions(who: string, operand: Operand): Expression {
  const literal = typeof operand === "number" || Array.isArray(operand);
  const x = toExpression(who, operand, literal ? "int64" : undefined);
  expectDtype(who, "the index", x, ["int64", "int32", "uint8"]);
  return x.dtype === "uint8" ? castTo(x, "int64") : x;
}

/** The shape of the indices, which have the axes of x, and are nowhere longer but along the axis. */
export function expectAlong(who: string, x: Type, indices: Type, axis: number): Shape {
  const fits =
    x.shape.length === indices.shape.length &&
    indices.shape.every((dim, i) => {
      const own = x.shape[i]!;
      return i === axis || dim === own || (typeof dim === "number" && typeof own === "number" && dim < own);
    });
  if (!fits)
    throw new GraphError(
      `${who}: indices ${printType(indices)} do not fit ${printType(x)}: they have the same axes, and are nowhere longer but along axis ${axis}`,
    );
  return indices.shape;
}

/** What is left of the shape of x behind the axes that the indices name. */
export function restOf(who: string, x: Type, indices: Type): Shape {
  const named = indices.shape.at(-1);
  if (typeof named !== "number" || named < 1 || named > x.shape.length)
    throw new GraphError(
      `${who}: the last axis of indices ${printType(indices)} holds a position, of 1 to ${x.shape.length} numbers, in ${printType(x)}`,
    );
  return x.shape.slice(named);
}

export function position(who: string, index: number, length: number): number {
  if (index < -length || index >= length)
    throw new GraphError(`${who}: index ${index} is outside an axis of ${length}`);
  return index < 0 ? index + length : index;
}

/** Each place of `indices`, and where in `shape` it points. */
export function eachAlong(
  who: string,
  shape: readonly number[],
  indices: Nd,
  axis: number,
  visit: (at: number, place: number) => void,
): void {
  const strides = stridesOf(shape);
  eachIndex(indices.shape, (index, flat) => {
    const along = position(who, indices.data[flat]!, shape[axis]!);
    visit(
      index.reduce((sum, at, i) => sum + (i === axis ? along : at) * strides[i]!, 0),
      flat,
    );
  });
}

/** Each run of elements that a position names: where it starts in `shape`, where among the updates, and its length. */
export function eachNd(
  who: string,
  shape: readonly number[],
  indices: Nd,
  visit: (at: number, place: number, run: number) => void,
): void {
  const named = indices.shape.at(-1)!;
  const strides = stridesOf(shape);
  const run = count(shape.slice(named));
  for (let i = 0; i < count(indices.shape.slice(0, -1)); i++) {
    let at = 0;
    for (let k = 0; k < named; k++)
      at += position(who, indices.data[i * named + k]!, shape[k]!) * strides[k]!;
    visit(at, i * run, run);
  }
}
