// Pooling over windows. What reaches the input of a maximum is found by comparing with it, which every engine can.
import { full } from "../creation.js";
import { addDims, mulDims, sizeOf } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { FLOATS, SINGLE } from "../kernels.js";
import { count, dotProduct, eachIndex, Nd } from "../nd.js";
import type { Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Attrs, type Cut, type Io, type Operator } from "../row.js";
import type { Type } from "../shape.js";
import { bound, elements, type Unary } from "./pattern.js";
import { spatial } from "./resize.js";
import {
  perAxis,
  slideShape,
  windowAttrs,
  type PerAxis,
  type WindowAttrs,
  type WindowOptions,
} from "./window.js";

const family = "conv" as const;

interface PoolAttrs extends WindowAttrs {
  readonly kernel_shape: readonly number[];
}
interface AverageAttrs extends PoolAttrs {
  readonly count_include_pad: number;
}

/** The stride is the window unless told. */
export type MaxPoolOptions = WindowOptions;
export interface AveragePoolOptions extends Omit<WindowOptions, "dilation"> {
  /** Whether padding counts as zeros among what is averaged; it does not unless told. */
  readonly countPadding?: boolean;
}
type Pool<O> = Operator<(x: Operand, window: PerAxis, options?: O) => Expression>;

const maxPoolRow = tensorRow<PoolAttrs>({
  name: "maxPool",
  family,
  doc: "The largest in each window over the space of x [batch, channels, ...space]; ties share the gradient.",
  onnx: "MaxPool",
  attributes: { kernel_shape: "ints", strides: "ints", pads: "ints", dilations: "ints" },
  kernels: FLOATS,
  infer: ([x], attrs) => [pooled("maxPool", x!, attrs)],
  flops: (io) => elements(io) * count(io.attrs.kernel_shape),
  gradient: ({ inputs: [x], y, g, attrs }) => [
    tiles(x!, attrs) && x!.dtype !== "float64" ? byTiles(x!, y, g, attrs) : byTaps(x!, y, g, attrs),
  ],
  evaluate: ([x], attrs, { outputs: [out] }) => {
    const y = new Nd(x!.dtype, bound(out!), Nd.zeros(x!.dtype, bound(out!)).data.fill(-Infinity));
    eachTap(x!.shape, y.shape, attrs, (from, to) => {
      y.data[to] = Math.max(y.data[to]!, x!.data[from]!);
    });
    return [y];
  },
  cuts: poolCuts,
});
export const maxPool: Pool<MaxPoolOptions> = operator(
  maxPoolRow,
  (operand: Operand, window: PerAxis, options: MaxPoolOptions = {}) => {
    const x = spatial("maxPool", operand);
    return apply(maxPoolRow, [x], poolAttrs("maxPool", x, window, options));
  },
);

const averagePoolRow = tensorRow<AverageAttrs>({
  name: "averagePool",
  family,
  doc: "The mean of each window over the space of x [batch, channels, ...space].",
  onnx: "AveragePool",
  attributes: { kernel_shape: "ints", strides: "ints", pads: "ints", count_include_pad: "int" },
  kernels: SINGLE,
  infer: ([x], attrs) => [pooled("averagePool", x!, attrs)],
  flops: (io) => elements(io) * count(io.attrs.kernel_shape),
  gradient: ({ inputs: [x], g, attrs }) => {
    const share = g.div(counts(x!, attrs, g));
    return [tiles(x!, attrs) ? share.upsample(attrs.kernel_shape) : spread(share, x!, attrs)];
  },
  evaluate: ([x], attrs, { outputs: [out] }) => {
    const y = Nd.zeros(x!.dtype, bound(out!));
    const seen = new Float64Array(y.data.length);
    eachTap(x!.shape, y.shape, attrs, (from, to) => {
      y.data[to]! += x!.data[from]!;
      seen[to]!++;
    });
    const all = count(attrs.kernel_shape);
    return [
      new Nd(
        y.dtype,
        y.shape,
        y.data.map((total, i) => total / (attrs.count_include_pad ? all : seen[i]!)),
      ),
    ];
  },
  cuts: poolCuts,
});
export const averagePool: Pool<AveragePoolOptions> = operator(
  averagePoolRow,
  (operand: Operand, window: PerAxis, { countPadding = false, ...options }: AveragePoolOptions = {}) => {
    const x = spatial("averagePool", operand);
    const attrs = poolAttrs("averagePool", x, window, options);
    return apply(averagePoolRow, [x], { ...attrs, count_include_pad: Number(countPadding) });
  },
);

export const globalAveragePool: Unary = operator(
  compositionRow("globalAveragePool", family, "The mean over all space, whose axes stay with length 1."),
  (operand: Operand) => {
    const x = spatial("globalAveragePool", operand);
    return x.mean(space(x), { keepdims: true });
  },
);
export const globalMaxPool: Unary = operator(
  compositionRow("globalMaxPool", family, "The largest over all space, whose axes stay with length 1."),
  (operand: Operand) => {
    const x = spatial("globalMaxPool", operand);
    return x.max(space(x), { keepdims: true });
  },
);

/** Windows that tile the input: what is pooled, enlarged again, stands where it came from. */
function byTiles(x: Expression, y: Expression, g: Expression, { kernel_shape }: PoolAttrs): Expression {
  const hit = x.equal(y.upsample(kernel_shape)).cast(x.dtype);
  const hits = hit.averagePool(kernel_shape).mul(count(kernel_shape));
  return hit.mul(g.div(hits).upsample(kernel_shape));
}

/** Windows that overlap: each place in the window is a strided slice, and what it gets is put back by that slice's own gradient. */
function byTaps(x: Expression, y: Expression, g: Expression, attrs: PoolAttrs): Expression {
  const { kernel_shape, strides, dilations, pads } = attrs;
  const axes = space(x);
  const before = axes.map((_, i) => pads[i]!);
  const after = axes.map((_, i) => pads[i + axes.length]!);
  const padded = pads.some((n) => n > 0) ? x.pad([0, 0, ...before], [0, 0, ...after], -Infinity) : x;
  const taps: { hit: Expression; starts: number[] }[] = [];
  eachIndex(kernel_shape, (tap) => {
    const starts = tap.map((k, i) => k * dilations[i]!);
    const ends = axes.map((axis, i) =>
      addDims(starts[i]! + 1, mulDims(addDims(y.shape[axis]!, -1), strides[i]!)),
    );
    taps.push({ hit: padded.slice(starts, ends, axes, strides).equal(y).cast(x.dtype), starts });
  });
  const share = g.div(taps.map(({ hit }) => hit).reduce((a, b) => a.add(b)));
  const total = taps
    .map(({ hit, starts }) => hit.mul(share).unslice(padded.shape, starts, axes, strides))
    .reduce((a, b) => a.add(b));
  return padded === x
    ? total
    : total.slice(
        before,
        axes.map((axis, i) => addDims(before[i]!, x.shape[axis]!)),
        axes,
      );
}

/** Gives every place under a window what that window has: a transposed convolution of each channel with ones. */
function spread(share: Expression, x: Expression, attrs: PoolAttrs): Expression {
  const { kernel_shape, strides, pads } = attrs;
  const ones = full([1, 1, ...kernel_shape], 1, { dtype: share.dtype });
  const planes = [sizeOf(x.shape.slice(0, 2)), 1];
  const axes = kernel_shape.length;
  const wide = share.reshape([...planes, ...share.shape.slice(2)]).convTranspose(ones, {
    stride: strides,
    padding: kernel_shape.map((_, i) => [pads[i]!, pads[i + axes]!] as const),
    outputPadding: kernel_shape.map((k, i) => {
      const reached = addDims(
        mulDims(addDims(share.shape[i + 2]!, -1), strides[i]!),
        k - pads[i]! - pads[i + axes]!,
      );
      return addDims(x.shape[i + 2]!, mulDims(reached, -1)) as number;
    }),
  });
  return wide.reshape(x.shape);
}

/** How many elements each window averages. */
function counts(x: Expression, attrs: AverageAttrs, g: Expression): Operand {
  const { kernel_shape, strides, pads } = attrs;
  const all = count(kernel_shape);
  if (attrs.count_include_pad || pads.every((n) => n === 0)) return all;
  const ones = full([], 1, { dtype: g.dtype }).broadcastTo([1, 1, ...x.shape.slice(2)]);
  return ones.conv(full([1, 1, ...kernel_shape], 1, { dtype: g.dtype }), {
    stride: strides,
    padding: kernel_shape.map((_, i) => [pads[i]!, pads[i + kernel_shape.length]!] as const),
  });
}

function tiles(x: Expression, { kernel_shape, strides, pads, dilations }: PoolAttrs): boolean {
  return (
    pads.every((n) => n === 0) &&
    kernel_shape.every((k, i) => {
      const length = x.shape[i + 2]!;
      return k === strides[i] && dilations[i] === 1 && typeof length === "number" && length % k === 0;
    })
  );
}

function space(x: Expression): number[] {
  return x.shape.slice(2).map((_, i) => i + 2);
}

function poolAttrs(who: string, x: Expression, window: PerAxis, options: WindowOptions): PoolAttrs & Attrs {
  const kernel_shape = perAxis(who, "the window", window, x.rank - 2, 1);
  const own = { ...options, stride: options.stride ?? window };
  return { kernel_shape, ...windowAttrs(who, x.shape.slice(2), kernel_shape, own) };
}

function pooled(who: string, { dtype, shape }: Type, attrs: PoolAttrs): Type {
  const { kernel_shape, pads } = attrs;
  const axes = kernel_shape.length;
  if (pads.some((n, i) => n >= kernel_shape[i % axes]!))
    throw new GraphError(
      `${who}: a padding of [${pads.join()}] would leave windows of [${kernel_shape.join()}] that see nothing else; pad less than the window`,
    );
  return { dtype, shape: [...shape.slice(0, 2), ...slideShape(who, shape.slice(2), kernel_shape, attrs)] };
}

function poolCuts(_: Io<unknown>): Cut[] {
  return [0, 1].map((axis) => ({ inputs: [axis], join: { concat: axis } }));
}

/** Every element that a window sees: where it is in the input, and the window's place in the result. */
function eachTap(
  from: readonly number[],
  to: readonly number[],
  { kernel_shape, strides, pads, dilations }: PoolAttrs,
  visit: (from: number, to: number) => void,
): void {
  const steps = from.map((_, i) => count(from.slice(i + 1)));
  eachIndex(to, ([n, c, ...place], at) => {
    eachIndex(kernel_shape, (tap) => {
      const seen = tap.map((k, i) => place[i]! * strides[i]! - pads[i]! + k * dilations[i]!);
      if (seen.some((p, i) => p < 0 || p >= from[i + 2]!)) return;
      visit(dotProduct([n!, c!, ...seen], steps), at);
    });
  });
}

export { resize, upsample } from "./resize.js";
export { maxPool as maxPool1d, maxPool as maxPool2d, maxPool as maxPool3d };
export { averagePool as averagePool1d, averagePool as averagePool2d, averagePool as averagePool3d };
