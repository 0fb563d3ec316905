// The geometry of windows that convolutions and pooling slide: strides, padding, dilation, and the lengths that come of them. No rows.
import { addDims, divideDims, mulDims, type Dim, type Shape } from "../dim.js";
import { GraphError } from "../error.js";

/** One number for every axis of space, or one for each. */
export type PerAxis = number | readonly number[];

/**
 * "valid": none. "same": so much that the result has ceil(length / stride) places, the odd one behind.
 * Else so many before and after: one number for all, or for each axis a number or [before, after].
 */
export type Padding = "valid" | "same" | number | readonly (number | readonly [number, number])[];

export interface WindowOptions {
  readonly stride?: PerAxis;
  readonly padding?: Padding;
  readonly dilation?: PerAxis;
}

/** As ONNX writes it: `pads` are all befores, then all afters. */
export interface WindowAttrs {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

/** Options as attributes; `space` are the lengths that the window slides over, `window` its own. */
export function windowAttrs(
  who: string,
  space: Shape,
  window: Shape,
  { stride = 1, padding = 0, dilation = 1 }: WindowOptions,
): WindowAttrs {
  const strides = perAxis(who, "stride", stride, space.length, 1);
  const dilations = perAxis(who, "dilation", dilation, space.length, 1);
  const pairs = space.map((length, i): readonly [number, number] => {
    if (padding === "valid") return [0, 0];
    if (padding === "same")
      return split(samePadding(who, length, reach(window[i]!, dilations[i]!), strides[i]!));
    if (typeof padding === "number") return [padding, padding];
    const own = padding[i] ?? refusePadding(who, padding, space.length);
    return typeof own === "number" ? [own, own] : own;
  });
  if (
    (typeof padding === "object" && padding.length !== space.length) ||
    pairs.flat().some((n) => !Number.isInteger(n) || n < 0)
  )
    refusePadding(who, padding, space.length);
  return {
    strides,
    dilations,
    pads: [...pairs.map(([before]) => before), ...pairs.map(([, after]) => after)],
  };
}

/** One whole number of at least `least` for each axis. */
export function perAxis(
  who: string,
  what: string,
  value: PerAxis,
  axes: number,
  least: number,
): readonly number[] {
  const list = typeof value === "number" ? new Array<number>(axes).fill(value) : value;
  if (list.length !== axes || list.some((n) => !Number.isInteger(n) || n < least))
    throw new GraphError(
      `${who}: ${what} is ${JSON.stringify(value)}; it must be a whole number from ${least}, or ${axes} of them, one for each axis of space`,
    );
  return list;
}

/** How many places a dilated window covers from its first to its last. */
export function reach(window: Dim, dilation: number): Dim {
  return addDims(mulDims(addDims(window, -1), dilation), 1);
}

/** At how many places a window stands along each axis. */
export function slideShape(who: string, space: Shape, window: Shape, attrs: WindowAttrs): Dim[] {
  const axes = space.length;
  return space.map((length, i) => {
    const [stride, dilation] = [attrs.strides[i]!, attrs.dilations[i]!];
    const padded = addDims(length, attrs.pads[i]! + attrs.pads[i + axes]!);
    const span = addDims(padded, mulDims(reach(window[i]!, dilation), -1));
    if (typeof span === "number") {
      if (span < 0)
        throw new GraphError(
          `${who}: a window of ${reach(window[i]!, dilation)} is longer than axis ${i} of space, which has ${padded} with its padding; pad more, or use a smaller window`,
        );
      return Math.floor(span / stride) + 1;
    }
    const steps = stride === 1 ? span : divideDims(span, stride);
    if (steps === undefined)
      throw new GraphError(
        `${who}: axis ${i} of space is ${length}, and steps of ${stride} over it come out differently for different lengths; give it a fixed length`,
      );
    return addDims(steps, 1);
  });
}

/** The reverse: the lengths whose slide is `places`, `outputPadding` longer. */
export function unslideShape(
  places: Shape,
  window: Shape,
  attrs: WindowAttrs,
  outputPadding: readonly number[],
): Dim[] {
  const axes = places.length;
  return places.map((count, i) =>
    [
      mulDims(addDims(count, -1), attrs.strides[i]!),
      reach(window[i]!, attrs.dilations[i]!),
      outputPadding[i]! - attrs.pads[i]! - attrs.pads[i + axes]!,
    ].reduce(addDims),
  );
}

function samePadding(who: string, length: Dim, span: Dim, stride: number): number {
  if (stride === 1 && typeof span === "number") return span - 1;
  if (typeof length !== "number" || typeof span !== "number")
    throw new GraphError(
      `${who}: padding "same" with stride ${stride} over a length of ${length} is not known before it runs; give the padding in numbers`,
    );
  return Math.max(0, (Math.ceil(length / stride) - 1) * stride + span - length);
}

/** The odd one behind, as SAME_UPPER has it. */
function split(total: number): readonly [number, number] {
  return [total >> 1, total - (total >> 1)];
}

function refusePadding(who: string, padding: Padding, axes: number): never {
  throw new GraphError(
    `${who}: padding is ${JSON.stringify(padding)}; it must be "valid", "same", a whole number from 0, or ${axes} of them (or pairs [before, after]), one for each axis of space`,
  );
}
