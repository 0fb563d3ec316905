// Resizing space: repeats by whole factors, and interpolation, which is a matrix product along each axis.
import type { Dim } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { SINGLE } from "../kernels.js";
import { constant, toFloat, type Operand } from "../operand.js";
import { count, dotProduct, eachIndex, Nd } from "../nd.js";
import { compositionRow, operator, tensorRow, type Operator } from "../row.js";
import { printType } from "../shape.js";
import { mulDims } from "../dim.js";
import { bound } from "./pattern.js";
import { perAxis, type PerAxis } from "./window.js";

const family = "conv" as const;

interface UpsampleAttrs {
  readonly scales: readonly number[];
  readonly mode: string;
  readonly nearest_mode: string;
  readonly coordinate_transformation_mode: string;
}
/** How ONNX says: element i of the result is element floor(i / factor). */
const repeating = { mode: "nearest", nearest_mode: "floor", coordinate_transformation_mode: "asymmetric" };

const upsampleRow = tensorRow<UpsampleAttrs>({
  name: "upsample",
  family,
  doc: "Repeats each element of the space of x [batch, channels, ...space] a whole number of times along each axis.",
  onnx: "Resize",
  attributes: { mode: "string", nearest_mode: "string", coordinate_transformation_mode: "string" },
  operands: { roi: "floats", scales: "floats" },
  kernels: SINGLE,
  infer: ([x], { scales, ...how }) => {
    if (
      scales.some((factor) => !Number.isInteger(factor) || factor < 1) ||
      scales[0] !== 1 ||
      scales[1] !== 1 ||
      Object.entries(repeating).some(([key, value]) => how[key as keyof typeof how] !== value)
    )
      throw new GraphError(
        `upsample: ${printType(x!)} by [${scales.join()}], ${Object.values(how).join(", ")}; only whole factors of space that repeat elements are known here`,
        "unsupported",
      );
    return [{ dtype: x!.dtype, shape: x!.shape.map((dim, i) => mulDims(dim, scales[i]!)) }];
  },
  flops: () => 0,
  gradient: ({ g, attrs: { scales } }) => {
    const factors = scales.slice(2);
    return [g.averagePool(factors).mul(count(factors))];
  },
  evaluate: ([x], { scales }, { outputs: [out] }) => {
    const y = Nd.zeros(x!.dtype, bound(out!));
    const strides = x!.strides;
    eachIndex(y.shape, (index, flat) => {
      y.data[flat] =
        x!.data[
          dotProduct(
            index.map((at, i) => Math.floor(at / scales[i]!)),
            strides,
          )
        ]!;
    });
    return [y];
  },
  cuts: () => [0, 1].map((axis) => ({ inputs: [axis], join: { concat: axis } })),
});
export const upsample: Operator<(x: Operand, factor: PerAxis) => Expression> = operator(
  upsampleRow,
  (operand: Operand, factor: PerAxis) => {
    const x = spatial("upsample", operand);
    const factors = perAxis("upsample", "the factor", factor, x.rank - 2, 1);
    if (factors.every((each) => each === 1)) return x;
    return apply(upsampleRow, [x], { ...repeating, scales: [1, 1, ...factors] });
  },
);

export interface ResizeOptions {
  /** "nearest": element floor(i * length / size). "linear" (bilinear, trilinear): between the two nearest centres. */
  readonly mode?: "nearest" | "linear";
  /** For "linear": the first and last elements, rather than the outer edges, stay where they are. */
  readonly alignCorners?: boolean;
}

export const resize: Operator<(x: Operand, size: PerAxis, options?: ResizeOptions) => Expression> = operator(
  compositionRow(
    "resize",
    family,
    "The space of x [batch, channels, ...space] in another size, by repeating or by interpolating.",
  ),
  (operand: Operand, size: PerAxis, { mode = "nearest", alignCorners = false }: ResizeOptions = {}) => {
    const x = spatial("resize", operand);
    const sizes = perAxis("resize", "the size", size, x.rank - 2, 1);
    const lengths = x.shape.slice(2).map((dim, i) => known(x, dim, i + 2));
    if (mode === "nearest" && x.dtype !== "float64" && sizes.every((to, i) => to % lengths[i]! === 0))
      return upsample(
        x,
        sizes.map((to, i) => to / lengths[i]!),
      );
    return sizes.reduce((y, to, i) => {
      if (to === lengths[i]) return y;
      const weights = constant(resizeMatrix(lengths[i]!, to, mode, alignCorners).toTensor()).cast(y.dtype);
      const axis = i + 2;
      return axis === y.rank - 1
        ? y.matmul(weights)
        : y.swapaxes(axis, -1).matmul(weights).swapaxes(axis, -1);
    }, x);
  },
);

/** [from, to]: how much of each old element is in each new one. */
function resizeMatrix(from: number, to: number, mode: "nearest" | "linear", alignCorners: boolean): Nd {
  const weights = Nd.zeros("float64", [from, to]);
  for (let i = 0; i < to; i++) {
    if (mode === "nearest") {
      weights.data[Math.floor((i * from) / to) * to + i] = 1;
      continue;
    }
    const centre = alignCorners
      ? to === 1
        ? 0
        : (i * (from - 1)) / (to - 1)
      : ((i + 0.5) * from) / to - 0.5;
    const at = Math.min(Math.max(centre, 0), from - 1);
    const low = Math.floor(at);
    weights.data[low * to + i]! += 1 - (at - low);
    if (at > low) weights.data[(low + 1) * to + i]! += at - low;
  }
  return weights;
}

function known(x: Expression, dim: Dim, axis: number): number {
  if (typeof dim === "string")
    throw new GraphError(
      `resize: axis ${axis} of ${printType(x.type)} is ${dim}; a length that is resized must be known`,
    );
  return dim;
}

/** A float of [batch, channels, ...space]. */
export function spatial(who: string, operand: Operand): Expression {
  const x = toFloat(who, operand);
  if (x.rank < 3)
    throw new GraphError(
      `${who}: ${printType(x.type)} has no axes of space; it must be [batch, channels, ...space]`,
    );
  return x;
}
