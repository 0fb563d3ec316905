// Reads ONNX's convolutions and pools: what they leave out of strides, pads and dilations is filled in, automatic padding worked out.
import { slideShape, windowAttrs, type WindowAttrs } from "../../catalogue/window.js";
import type { Dim } from "../../dim.js";
import { GraphError } from "../../error.js";
import type { Expression } from "../../expression.js";
import { printType } from "../../shape.js";
import type { Call } from "./call.js";
import type { Read } from "./operators.js";
import { readRow } from "./row.js";

export function readConv(call: Call): readonly Expression[] {
  const [x, w] = [call.x(0), call.x(1)];
  if (x.rank < 3 || w.rank !== x.rank)
    throw new GraphError(
      `${printType(x.type)} and weights ${printType(w.type)} must be of one rank, 3 or more`,
      "bad_model",
    );
  const own = w.shape.slice(2);
  const named = call.attributes.ints("kernel_shape");
  if (named && named.join() !== own.join())
    throw new GraphError(
      `kernel_shape is [${named.join()}], the weights are ${printType(w.type)}`,
      "bad_model",
    );
  const transposed = call.operator === "ConvTranspose";
  if (transposed && (call.attributes.ints("output_shape") || automatic(call) !== "NOTSET"))
    throw new GraphError("it pads by output_shape or auto_pad; only pads in numbers are read", "unsupported");
  const extra = transposed ? { output_padding: list(call, "output_padding", x.rank - 2, 0, 0) } : {};
  return readRow(call, { ...windowOf(call, x, own), ...extra, auto_pad: "NOTSET", kernel_shape: undefined });
}

function readPool(call: Call): readonly Expression[] {
  const x = call.x(0);
  const kernel = call.attributes.ints("kernel_shape");
  if (x.rank < 3 || kernel?.length !== x.rank - 2 || kernel.some((length) => length < 1))
    throw new GraphError(
      `a window of [${kernel?.join() ?? ""}] over ${printType(x.type)}; it wants a length from 1 for each axis after the second`,
      "bad_model",
    );
  const window = windowOf(call, x, kernel);
  const round = call.attributes.int("ceil_mode", 0);
  if (
    round &&
    slideShape(call.operator, x.shape.slice(2), kernel, window).some(
      (places, i) => !even(x, kernel, window, i, places),
    )
  )
    throw new GraphError("ceil_mode lets windows hang over the end; pad instead", "unsupported");
  const dilated = window.dilations.some((dilation) => dilation !== 1);
  if (call.operator === "AveragePool" && dilated)
    throw new GraphError(`dilations of [${window.dilations.join()}] are not read`, "unsupported");
  const known = { ...window, kernel_shape: kernel, auto_pad: "NOTSET", ceil_mode: 0, storage_order: 0 };
  return readRow(call, known, { dilations: window.dilations });
}

/** Whether the last window ends where the input does, so that rounding up changes nothing. */
function even(
  x: Expression,
  kernel: readonly number[],
  { strides, pads, dilations }: WindowAttrs,
  i: number,
  places: Dim,
): boolean {
  const length = x.shape[i + 2]!;
  if (typeof length !== "number" || typeof places !== "number") return strides[i] === 1;
  const padded = length + pads[i]! + pads[i + kernel.length]!;
  return (places - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 === padded;
}

function windowOf(call: Call, x: Expression, window: readonly Dim[]): WindowAttrs {
  const axes = window.length;
  const stride = list(call, "strides", axes, 1, 1);
  const dilation = list(call, "dilations", axes, 1, 1);
  const mode = automatic(call);
  if (mode === "NOTSET")
    return { strides: stride, dilations: dilation, pads: list(call, "pads", 2 * axes, 0, 0) };
  if (mode !== "VALID" && mode !== "SAME_UPPER" && mode !== "SAME_LOWER")
    throw new GraphError(
      `auto_pad "${mode}" is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER`,
      "bad_model",
    );
  const attrs = windowAttrs(call.operator, x.shape.slice(2), window, {
    stride,
    dilation,
    padding: mode === "VALID" ? "valid" : "same",
  });
  // The odd one in front is the other half of "same".
  return mode === "SAME_LOWER"
    ? { ...attrs, pads: [...attrs.pads.slice(axes), ...attrs.pads.slice(0, axes)] }
    : attrs;
}

function automatic(call: Call): string {
  return call.attributes.string("auto_pad", "NOTSET");
}

function list(call: Call, name: string, length: number, fallback: number, least: number): readonly number[] {
  const values = call.attributes.ints(name) ?? new Array<number>(length).fill(fallback);
  if (values.length !== length || values.some((value) => value < least))
    throw new GraphError(
      `${name} is [${values.join()}]; it must be ${length} numbers from ${least}`,
      "bad_model",
    );
  return values;
}

/** Over all space at once. */
function globally(reduce: (x: Expression, axes: readonly number[]) => Expression): Read {
  return (call) => [
    reduce(
      call.x(0),
      call
        .x(0)
        .shape.slice(2)
        .map((_, i) => i + 2),
    ),
  ];
}

export const pools: readonly (readonly [string, Read])[] = [
  ["MaxPool", readPool],
  ["AveragePool", readPool],
  ["GlobalAveragePool", globally((x, axes) => x.mean(axes, { keepdims: true }))],
  ["GlobalMaxPool", globally((x, axes) => x.max(axes, { keepdims: true }))],
];
