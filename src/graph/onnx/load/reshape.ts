// Reads the ONNX operators that move elements: their arguments count from the end, run past the end, or stand for "as it was".
import { fromNumbers, Tensor, toNumbers } from "../../../tensor/index.js";
import { arange, dimension } from "../../creation.js";
import { addDims, mulDims, type Dim } from "../../dim.js";
import { GraphError } from "../../error.js";
import type { Expression } from "../../expression.js";
import { constant } from "../../operand.js";
import { axesOf, axisOf, broadcast } from "../../shape.js";
import type { Call } from "./call.js";
import type { Read } from "./operators.js";
import { dtypeAttribute, readRow } from "./row.js";

/** Elements up to which a range is made while a model is read. */
const RANGE = 2 ** 20;

function readReshape(call: Call): readonly Expression[] {
  const x = call.x(0);
  const shape = call.dims(1, "shape")!;
  const kept = call.attributes.int("allowzero", 0)
    ? shape
    : shape.map((dim, i) => (dim === 0 ? (x.shape[i] ?? dim) : dim));
  return [x.reshape(lengths(call, kept, -1))];
}

function readSqueeze(call: Call): readonly Expression[] {
  const axes = call.numbers(1, "axes");
  return [call.x(0).squeeze(axes)];
}

function readUnsqueeze(call: Call): readonly Expression[] {
  return [call.x(0).expandDims(call.numbers(1, "axes")!)];
}

function readFlatten(call: Call): readonly Expression[] {
  const x = call.x(0);
  const at = call.attributes.int("axis", 1);
  const axis = at < 0 ? at + x.rank : at;
  if (axis < 0 || axis > x.rank)
    throw new GraphError(`axis ${at} is outside a tensor of rank ${x.rank}`, "bad_model");
  const size = (dims: readonly Dim[]): Dim => dims.reduce<Dim>(mulDims, 1);
  return [x.reshape([size(x.shape.slice(0, axis)), size(x.shape.slice(axis))])];
}

/** Broadcasting both ways: a dimension of the shape may be 1 where the tensor's is not. */
function readExpand(call: Call): readonly Expression[] {
  const x = call.x(0);
  return [x.broadcastTo(broadcast("Expand", x.shape, lengths(call, call.dims(1, "shape")!)))];
}

function readTranspose(call: Call): readonly Expression[] {
  return [call.x(0).transpose(call.attributes.ints("perm"))];
}

function readSlice(call: Call): readonly Expression[] {
  const x = call.x(0);
  const starts = call.dims(1, "starts")!;
  const ends = call.dims(2, "ends")!;
  const steps = call.numbers(4, "steps") ?? starts.map(() => 1);
  const named = call.numbers(3, "axes") ?? starts.map((_, i) => i);
  const axes = named.map((axis) => axisOf("Slice", axis, x.rank));
  if ([ends, steps, axes].some((list) => list.length !== starts.length) || new Set(axes).size !== axes.length)
    throw new GraphError(
      "starts, ends, axes and steps must be of one length, and axes distinct",
      "bad_model",
    );
  // A start may lie far off behind the slice, an end far off before it.
  const from = starts.map((start, i) => open(start, -steps[i]!));
  const to = ends.map((end, i) => open(end, steps[i]!));
  return [x.slice(from, to, axes, steps)];
}

/** No limit, where a place is so far off on that side that it stands for the end of the axis. */
function open(at: Dim, side: number): Dim | null {
  return typeof at === "number" && at * Math.sign(side) >= 2 ** 31 - 1 ? null : at;
}

function readSplit(call: Call): readonly Expression[] {
  const x = call.x(0);
  const axis = axisOf("Split", call.attributes.int("axis", 0), x.rank);
  const length = x.shape[axis]!;
  const count = call.proto.output.length;
  const pieces = call.dims(1, "split") ?? equalPieces(length, call.attributes.int("num_outputs", count));
  if (
    pieces.length !== count ||
    pieces.reduce(addDims, 0) !== length ||
    pieces.some((piece) => typeof piece === "number" && piece < 0)
  )
    throw new GraphError(
      `axis ${axis} of length ${length} does not split into [${pieces.join(",")}] for ${count} outputs`,
      "bad_model",
    );
  return readRow(call, { axis, split: pieces, num_outputs: undefined });
}

/** As ONNX splits: all pieces alike, the last smaller where it does not come out even. */
function equalPieces(length: Dim, count: number): readonly Dim[] {
  if (typeof length !== "number" || !(count >= 1 && count <= 2 ** 16))
    throw new GraphError(
      `a length of ${length} does not split into ${count} pieces that are known`,
      "unsupported",
    );
  const each = Math.ceil(length / count);
  if (length > 0 && each * (count - 1) >= length)
    throw new GraphError(`a length of ${length} does not split into ${count} pieces of ${each}`, "bad_model");
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, length - i * each)));
}

function readPad(call: Call): readonly Expression[] | undefined {
  const x = call.x(0);
  const pads = call.dims(1, "pads")!;
  const named = call.numbers(3, "axes");
  const axes = named ? named.map((axis) => axisOf("Pad", axis, x.rank)) : axesOf("Pad", undefined, x.rank);
  if (pads.length !== 2 * axes.length || new Set(axes).size !== axes.length)
    throw new GraphError(
      `${pads.length} pads for ${axes.length} axes; there must be two for each`,
      "bad_model",
    );
  const value = call.constant(2, "the constant value");
  const all: Dim[] = new Array<Dim>(2 * x.rank).fill(0);
  axes.forEach((axis, i) => {
    all[axis] = pads[i]!;
    all[axis + x.rank] = pads[i + axes.length]!;
  });
  const cut = all.some((dim) => typeof dim === "number" && dim < 0);
  if (cut) return [cropped(x, all, value ? toNumbers(value)[0]! : 0, call)];
  return readRow(call.upTo(3), { pads: all, value: value ? toNumbers(value)[0]! : 0 });
}

/** Negative pads cut off. */
function cropped(x: Expression, pads: readonly Dim[], value: number, call: Call): Expression {
  if (call.attributes.string("mode", "constant") !== "constant")
    throw new GraphError(
      `pads [${pads.join(",")}] cut off, which only the mode "constant" does`,
      "unsupported",
    );
  const least = (dim: Dim): Dim => (typeof dim === "number" ? Math.min(dim, 0) : 0);
  const most = (dim: Dim): Dim => (typeof dim === "number" ? Math.max(dim, 0) : dim);
  const starts = x.shape.map((_, i) => mulDims(least(pads[i]!), -1));
  const ends = x.shape.map((dim, i) => addDims(dim, least(pads[i + x.rank]!)));
  const inner = x.slice(starts, ends);
  return inner.pad(pads.slice(0, x.rank).map(most), pads.slice(x.rank).map(most), value);
}

function readConstantOfShape(call: Call): readonly Expression[] {
  const given = call.attributes.get("value");
  if (given !== undefined && (typeof given !== "object" || !("dtype" in given) || given.size !== 1))
    throw new GraphError("its value must be a tensor of one element", "bad_model");
  const one = given ? constant(new Tensor(given.dtype, [], given.data)) : constant(zero());
  return [one.broadcastTo(lengths(call, call.dims(0, "shape")!))];
}

function zero(): Tensor {
  return new Tensor("float32", [], fromNumbers("float32", [0]));
}

/** From a number to a length that only running tells, it is counted; else it is a constant. */
function readRange(call: Call): readonly Expression[] {
  const [from, to, by] = [0, 1, 2].map((i) => call.value(i).dims?.values[0]);
  if (typeof from === "number" && typeof to === "string" && by === 1) {
    const one = constant(new Tensor("int64", [], BigInt64Array.of(1n)));
    return [
      one
        .broadcastTo([addDims(to, -from)])
        .cumsum(0)
        .add(from - 1),
    ];
  }
  const parts = [0, 1, 2].map((i) => call.constant(i, "start, limit and delta"));
  if (!parts.every((part) => part?.size === 1))
    throw new GraphError("start, limit and delta must be of one element each", "bad_model");
  const [start, limit, delta] = parts.map((part) => toNumbers(part!)[0]!) as [number, number, number];
  const count = Math.ceil((limit - start) / delta);
  if (!(delta !== 0 && count <= RANGE))
    throw new GraphError(
      `it counts from ${start} to ${limit} by ${delta}; at most ${RANGE} steps are written out`,
      "limit",
    );
  return [arange(start, limit, delta, { dtype: parts[0]!.dtype })];
}

function readTile(call: Call): readonly Expression[] {
  const x = call.x(0);
  const repeats = lengths(call, call.dims(1, "repeats")!);
  if (repeats.length !== x.rank)
    throw new GraphError(`${repeats.length} repeats for ${x.rank} axes`, "bad_model");
  const between = x.reshape(x.shape.flatMap((dim) => [1, dim]));
  return [
    between
      .broadcastTo(x.shape.flatMap((dim, i) => [repeats[i]!, dim]))
      .reshape(x.shape.map((dim, i) => mulDims(dim, repeats[i]!))),
  ];
}

/** Dimensions that may stand in a shape: whole numbers from 0, or from -1 where that means "what is left". */
function lengths(call: Call, dims: readonly Dim[], least = 0): readonly Dim[] {
  const wrong = dims.find((dim) => typeof dim === "number" && (!Number.isSafeInteger(dim) || dim < least));
  if (wrong !== undefined)
    throw new GraphError(`the shape [${dims.join(",")}] of ${call.operator} holds ${wrong}`, "bad_model");
  return dims;
}

/** A length as a number of another dtype is a source of its own. */
function readCast(call: Call): readonly Expression[] | undefined {
  const dims = call.value(0).dims;
  const to = dtypeAttribute(call.attributes.int("to"), "to");
  return dims?.derived && dims.shape.length === 0 && to !== undefined && to !== "bool"
    ? [dimension(dims.values[0]!, to)]
    : undefined;
}

export const shapes: readonly (readonly [string, Read])[] = [
  ["Reshape", readReshape],
  ["Squeeze", readSqueeze],
  ["Unsqueeze", readUnsqueeze],
  ["Flatten", readFlatten],
  ["Expand", readExpand],
  ["Transpose", readTranspose],
  ["Slice", readSlice],
  ["Split", readSplit],
  ["Pad", readPad],
  ["ConstantOfShape", readConstantOfShape],
  ["Range", readRange],
  ["Tile", readTile],
  ["Cast", readCast],
];
