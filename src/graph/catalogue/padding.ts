// Borders round a tensor: of one value, or of what stands inside.
import { addDims, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { dotProduct, eachIndex, Nd } from "../nd.js";
import { toExpression, type Operand } from "../operand.js";
import { operator, tensorRow, type Operator } from "../row.js";
import { printType } from "../shape.js";
import { bound } from "./pattern.js";

const family = "index" as const;

const padRow = tensorRow<{ pads: readonly Dim[]; value: number }>({
  name: "pad",
  family,
  doc: "A border round the elements, of a value or of what stands inside: so many before and after along each axis.",
  onnx: "Pad",
  operands: { pads: "dims", value: "value" },
  kernels: ["float32", "float64", "int32", "int64", "uint8", "bool"],
  infer: ([x], { pads }) => [
    {
      dtype: x!.dtype,
      shape: x!.shape.map((dim, i) => addDims(dim, addDims(pads[i]!, pads[i + x!.shape.length]!))),
    },
  ],
  flops: () => 0,
  gradient: ({ inputs: [x], g, attrs: { pads } }) => {
    const before = pads.slice(0, x!.rank);
    return [
      g.slice(
        before,
        x!.shape.map((dim, i) => addDims(dim, before[i]!)),
      ),
    ];
  },
  evaluate: ([x], { pads, value }, { outputs: [out] }) => {
    const y = new Nd(x!.dtype, bound(out!), Nd.zeros(x!.dtype, bound(out!)).data.fill(value));
    const strides = y.strides;
    const offset = dotProduct(pads.slice(0, x!.shape.length) as number[], strides);
    eachIndex(x!.shape, (index, flat) => {
      y.data[offset + dotProduct(index, strides)] = x!.data[flat]!;
    });
    return [y];
  },
  cuts: ({ inputs: [x], attrs: { pads } }) => {
    const rank = x!.shape.length;
    return x!.shape.flatMap((_, axis) =>
      pads[axis] === 0 && pads[axis + rank] === 0 ? { inputs: [axis], join: { concat: axis } } : [],
    );
  },
});
/**
 * Which element stands at each place of a border: "edge" the nearest, "reflect" mirrored at the last element,
 * "symmetric" mirrored behind it, "wrap" from the other end.
 */
export type PadMode = "edge" | "reflect" | "symmetric" | "wrap";

export const pad: Operator<
  (x: Operand, before: readonly Dim[], after: readonly Dim[], border?: number | PadMode) => Expression
> = operator(
  padRow,
  (operand: Operand, before: readonly Dim[], after: readonly Dim[], border: number | PadMode = 0) => {
    const x = toExpression("pad", operand);
    if (before.length !== x.rank || after.length !== x.rank)
      throw new GraphError(
        `pad: ${printType(x.type)} has ${x.rank} axes; before [${before.join(",")}] and after [${after.join(",")}] must name each`,
      );
    const negative = [...before, ...after].find(
      (n) => typeof n === "number" && !(Number.isInteger(n) && n >= 0),
    );
    if (negative !== undefined)
      throw new GraphError(
        `pad: ${negative} before or after; it must be a whole number from 0 (slice to shorten)`,
      );
    if (typeof border === "number") return apply(padRow, [x], { pads: [...before, ...after], value: border });
    return x.shape.reduce<Expression>((y, length, axis) => {
      const [left, right] = [before[axis]!, after[axis]!];
      if (left === 0 && right === 0) return y;
      if (typeof length === "string" || typeof left === "string" || typeof right === "string")
        throw new GraphError(
          `pad: axis ${axis} of ${printType(x.type)} with ${left} before and ${right} after; for "${border}" all three must be known`,
        );
      if (length === 0 || (border === "reflect" && length === 1))
        throw new GraphError(
          `pad: axis ${axis} of ${printType(x.type)} is too short to fill a border by "${border}"`,
        );
      const places = Array.from({ length: left + length + right }, (_, i) =>
        SOURCE[border](i - left, length),
      );
      return y.take(places, axis);
    }, x);
  },
);

/** Where the element for a place comes from, places being counted from the first element. */
const SOURCE: Readonly<Record<PadMode, (at: number, length: number) => number>> = {
  edge: (at, length) => Math.min(Math.max(at, 0), length - 1),
  reflect: (at, length) => mirror(at, 2 * (length - 1), 0),
  symmetric: (at, length) => mirror(at, 2 * length, 1),
  wrap: (at, length) => modulo(at, length),
};

function mirror(at: number, period: number, gap: number): number {
  const place = modulo(at, period);
  return Math.min(place, period - gap - place);
}

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b;
}
