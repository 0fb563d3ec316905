// What reaches the weights of a convolution, in two ways: as one matrix product where memory allows, else as a convolution.
import { DTYPES, Tensor } from "../../tensor/index.js";
import { divideDims, isStatic, mulDims, sizeOf, type Dim, type Shape } from "../dim.js";
import type { Expression } from "../expression.js";
import { count } from "../nd.js";
import { constant } from "../operand.js";
import type { ConvAttrs, ConvOptions } from "./conv.js";

/** Above so many bytes the windows of an input are not laid out in memory; where the batch is open, as if it were 32. */
const LAYOUT_BYTES = 64 * 2 ** 20;

/** What reaches the weights: laid-out windows times the gradient, twice as fast as a convolution as long as memory allows. */
export function byWeights(x: Expression, g: Expression, shape: Shape, attrs: ConvAttrs): Expression {
  const taps = sizeOf(shape.slice(2));
  const cells = [x.shape[0]!, x.shape[1]!, taps, ...g.shape.slice(2)];
  const known = count(cells.filter((dim) => typeof dim === "number"));
  const limit = isStatic(cells) ? LAYOUT_BYTES : LAYOUT_BYTES / 32;
  return isStatic(shape) && known * DTYPES[x.dtype].bytes <= limit
    ? byLayout(x, g, shape, attrs)
    : bySliding(x, g, shape, attrs);
}

/** Each window as a column, by a convolution of each channel with one-hot weights; then one matrix product. */
export function byLayout(
  x: Expression,
  g: Expression,
  shape: readonly number[],
  attrs: ConvAttrs,
): Expression {
  const [batch, channels] = [x.shape[0]!, x.shape[1]!];
  const [window, places] = [shape.slice(2), g.shape.slice(2)];
  const taps = count(window);
  const plain = taps === 1 && attrs.pads.every((n) => n === 0) && attrs.strides.every((n) => n === 1);
  const oneHot = constant(identity(taps, window)).cast(x.dtype);
  const columns = plain
    ? x
    : x.reshape([mulDims(batch, channels), 1, ...x.shape.slice(2)]).conv(oneHot, optionsOf(attrs, 1));
  const rows = (y: Expression, each: Dim): Expression =>
    attrs.group === 1
      ? y.reshape([batch, each, sizeOf(places)])
      : y.reshape([batch, attrs.group, divideDims(each, attrs.group)!, sizeOf(places)]);
  return rows(g, g.shape[1]!)
    .matmul(rows(columns, mulDims(channels, taps)).swapaxes(-1, -2))
    .sum(0)
    .reshape(shape);
}

function identity(taps: number, window: readonly number[]): Tensor {
  const data = new Float32Array(taps * taps);
  for (let i = 0; i < taps; i++) data[i * (taps + 1)] = 1;
  return new Tensor("float32", [taps, 1, ...window], data);
}

/**
 * Channels become the batch, the batch becomes channels, and the gradient slides over the input as a window that is
 * dilated by the stride. Groups stay groups.
 */
export function bySliding(x: Expression, g: Expression, shape: Shape, attrs: ConvAttrs): Expression {
  const { group, strides, dilations } = attrs;
  const y = batchLast(x, group, false)
    .conv(batchLast(g, group, true), {
      ...optionsOf(attrs, group),
      stride: dilations,
      dilation: strides,
    })
    .transpose([1, 0, ...spaceAxes(x)]);
  return y.shape.every((dim, i) => dim === shape[i])
    ? y
    : y.slice(
        shape.slice(2).map(() => 0),
        shape.slice(2),
        spaceAxes(x),
      );
}

/** [batch, group*c, ...] as [c, group*batch, ...], or as weights [group*c, batch, ...]. */
function batchLast(x: Expression, group: number, asWeights: boolean): Expression {
  const space = x.shape.slice(2);
  if (group === 1) return x.transpose([1, 0, ...spaceAxes(x)]);
  const [batch, channels] = [x.shape[0]!, divideDims(x.shape[1]!, group)!];
  const split = x.reshape([batch, group, channels, ...space]);
  const rest = space.map((_, i) => i + 3);
  return asWeights
    ? split.transpose([1, 2, 0, ...rest]).reshape([x.shape[1]!, batch, ...space])
    : split.transpose([2, 1, 0, ...rest]).reshape([channels, mulDims(batch, group), ...space]);
}

/** Attributes as options. */
function optionsOf({ strides, dilations, pads }: ConvAttrs, groups: number): ConvOptions {
  const padding = strides.map((_, i) => [pads[i]!, pads[i + strides.length]!] as const);
  return { stride: strides, dilation: dilations, padding, groups };
}

/** The axes of space of [batch, channels, ...space]. */
export function spaceAxes(x: Expression): number[] {
  return x.shape.slice(2).map((_, i) => i + 2);
}
