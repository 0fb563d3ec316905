// What normalisations share: standardising over axes and its gradient, and scales and shifts by channel.
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { Nd } from "../nd.js";
import { toFloat, type Operand } from "../operand.js";
import { printType, type Type } from "../shape.js";

export interface NormOptions {
  /** Multiplies what is normalised; ones unless given. */
  readonly scale?: Operand;
  /** Is added at the end; zeros unless given. */
  readonly bias?: Operand;
  /** Is added to the variance; 1e-5 unless told. */
  readonly epsilon?: number;
}
/** Axes from `from` to the last. */
export function axesFrom(from: number, rank: number): number[] {
  return Array.from({ length: rank - from }, (_, i) => from + i);
}

/** (x - mean) / sqrt(variance + epsilon), and 1 / sqrt(variance + epsilon), over axes. */
export function standardized(
  x: Expression,
  axes: readonly number[],
  epsilon: number,
): { normal: Expression; inverse: Expression } {
  const centred = x.sub(x.mean(axes, { keepdims: true }));
  const inverse = centred.mul(centred).mean(axes, { keepdims: true }).add(epsilon).sqrt().reciprocal();
  return { normal: centred.mul(inverse), inverse };
}

/** What reaches x through its standardisation over axes, given what reaches the standardised x. */
export function throughStandardized(
  normal: Expression,
  inverse: Expression,
  g: Expression,
  axes: readonly number[],
): Expression {
  const mean = g.mean(axes, { keepdims: true });
  const along = g.mul(normal).mean(axes, { keepdims: true });
  return g.sub(mean).sub(normal.mul(along)).mul(inverse);
}

/** Standardises each run of `length` elements, then scales and shifts by what `place` finds for an element. */
export function standardizeNd(
  x: Nd,
  length: number,
  epsilon: number,
  end: (normal: number, flat: number) => number,
): Nd {
  const out = Nd.zeros(x.dtype, x.shape);
  for (let start = 0; start < x.data.length; start += length) {
    const part = x.data.subarray(start, start + length);
    const mean = part.reduce((a, b) => a + b, 0) / length;
    const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / length;
    part.forEach((value, i) => {
      out.data[start + i] = end((value - mean) / Math.sqrt(variance + epsilon), start + i);
    });
  }
  return out;
}

/** Scale and bias in the dtype of x. */
export function affine(
  who: string,
  x: Expression,
  { scale, bias }: NormOptions,
): [scale: Expression | undefined, bias: Expression | undefined] {
  const own = (operand: Operand | undefined): Expression | undefined =>
    operand === undefined ? undefined : toFloat(who, operand).cast(x.dtype);
  return [own(scale), own(bias)];
}

export function shifted(normal: Expression, scale?: Expression, bias?: Expression): Expression {
  const scaled = scale ? normal.mul(scale) : normal;
  return bias ? scaled.add(bias) : scaled;
}

export function byChannel(
  normal: Expression,
  scale: Expression | undefined,
  bias: Expression | undefined,
  axis: number,
): Expression {
  return shifted(
    normal,
    scale && perChannel(scale, normal.rank, axis),
    bias && perChannel(bias, normal.rank, axis),
  );
}

/** A vector of channels, shaped to broadcast along their axis. */
export function perChannel(vector: Expression, rank: number, axis: number): Expression {
  return vector.reshape([-1, ...new Array<number>(rank - axis - 1).fill(1)]);
}

export function expectChannels(who: string, x: Type, rank: number): void {
  if (x.shape.length < rank)
    throw new GraphError(
      `${who}: ${printType(x)} has ${x.shape.length} axes; it must be [batch, channels${rank > 2 ? ", ..." : ""}]`,
    );
}

export function expectPerChannel(who: string, x: Type, vector: Type): void {
  if (vector.shape.length !== 1 || vector.shape[0] !== x.shape[1])
    throw new GraphError(
      `${who}: ${printType(vector)} does not fit the channels of ${printType(x)}; it must be [${x.shape[1]}]`,
    );
}
