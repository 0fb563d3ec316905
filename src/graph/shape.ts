// Shape and dtype rules that many rows share: broadcasting, axes, promotion. Pure; throws GraphErrors that name the operator.
import { DTYPES, type DType } from "../tensor/index.js";
import type { Dim, Shape } from "./dim.js";
import { GraphError } from "./error.js";

/** What is known of an expression before it runs. */
export interface Type {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** `float32 [batch,10]` */
export function printType(type: Type): string {
  return `${type.dtype} [${type.shape.join(",")}]`;
}

/** NumPy's broadcasting of any number of shapes. */
export function broadcast(who: string, ...shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    let out: Dim = 1;
    for (const shape of shapes) {
      const dim = shape[i - rank + shape.length] ?? 1;
      if (dim === 1 || dim === out) continue;
      if (out !== 1)
        throw new GraphError(
          `${who}: shapes ${shapes.map((s) => `[${s.join(",")}]`).join(" and ")} do not broadcast: ${out} and ${dim} meet; ` +
            `counted from the right, dimensions must be equal or 1`,
        );
      out = dim;
    }
    return out;
  });
}

/** An axis from 0 of a tensor of `rank`, from one that may count from the end. */
export function axisOf(who: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new GraphError(
      rank === 0
        ? `${who}: axis ${axis} of a scalar; it has no axes`
        : `${who}: axis ${axis} is outside a tensor of rank ${rank}; use ${-rank} to ${rank - 1}`,
    );
  return axis < 0 ? axis + rank : axis;
}

/** Axes from 0, ascending and distinct; all of them when none is named. */
export function axesOf(who: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === "number" ? [axes] : axes)
    .map((axis) => axisOf(who, axis, rank))
    .sort((a, b) => a - b);
  if (new Set(list).size !== list.length)
    throw new GraphError(`${who}: an axis is named twice in [${String(axes)}]`);
  return list;
}

/** From narrow to wide; floats above integers, as in NumPy, but an integer never makes a float wider. */
const WIDTH: readonly DType[] = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"];

/** The dtype two operands meet at. */
export function promote(...dtypes: readonly DType[]): DType {
  return WIDTH[Math.max(...dtypes.map((d) => WIDTH.indexOf(d)))]!;
}

export function isFloat(dtype: DType): boolean {
  return DTYPES[dtype].float;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
