// Reads ONNX operators that the catalogue writes with others: einsum, resizing, depth and space.
import { toNumbers } from "../../../tensor/index.js";
import { einsum } from "../../catalogue/einsum.js";
import { GraphError } from "../../error.js";
import type { Dim } from "../../dim.js";
import type { Expression } from "../../expression.js";
import { axisOf, printType } from "../../shape.js";
import type { Call } from "./call.js";
import type { Read } from "./operators.js";
import { readRow } from "./row.js";

/** Elements of the matrices by which space is resized, at most. */
const RESIZED = 2 ** 22;

function readEinsum(call: Call): readonly Expression[] {
  return [einsum(call.attributes.string("equation", ""), ...call.inputs.map((_, i) => call.x(i)))];
}

/** By its row where elements are repeated; else as the catalogue interpolates, which is two of ONNX's many ways. */
function readResize(call: Call): readonly Expression[] {
  const { attributes } = call;
  const x = call.x(0);
  const mode = attributes.string("mode", "nearest");
  const place = attributes.string("coordinate_transformation_mode", "half_pixel");
  if (mode === "nearest" && call.has(2)) return readRow(call);
  const corners = place === "align_corners";
  if (
    mode !== "linear" ||
    !(corners || place === "half_pixel") ||
    x.rank < 3 ||
    attributes.int("antialias", 0)
  )
    throw new GraphError(
      `the mode "${mode}" by "${place}" over ${printType(x.type)} is not read; "linear" by "half_pixel" or "align_corners" is`,
      "unsupported",
    );
  const sizes = call.dims(3, "sizes") ?? scaled(call, x);
  const space = sizes.slice(2);
  const weights = space.reduce<number>((sum, to, i) => sum + Number(to) * Number(x.shape[i + 2]), 0);
  if (sizes.length !== x.rank || sizes[0] !== x.shape[0] || sizes[1] !== x.shape[1] || !(weights <= RESIZED))
    throw new GraphError(
      `${printType(x.type)} to [${sizes.join()}]: batch and channels stay, and space is of known lengths with at most ${RESIZED} weights between them`,
      "unsupported",
    );
  return [x.resize(space as readonly number[], { mode, alignCorners: corners })];
}

/** A length that is not known stays as it is. */
function scaled(call: Call, x: Expression): readonly Dim[] {
  const scales = call.constant(2, "scales");
  if (scales?.size !== x.rank)
    throw new GraphError("neither sizes nor a scale for each axis are given", "bad_model");
  return toNumbers(scales).reduce<Dim[]>((sizes, scale, i) => {
    const dim = x.shape[i]!;
    return [...sizes, scale === 1 ? dim : typeof dim === "number" ? Math.floor(dim * scale) : NaN];
  }, []);
}

/** Blocks of depth become squares of space, or the reverse. */
function readBlocks(call: Call): readonly Expression[] {
  const x = call.x(0);
  const size = call.attributes.int("blocksize", 0);
  const [batch, depth, height, width] = x.shape as readonly [Dim, number, number, number];
  const toSpace = call.operator === "DepthToSpace";
  const fits = toSpace ? depth % (size * size) === 0 : height % size === 0 && width % size === 0;
  if (x.rank !== 4 || size < 1 || !fits)
    throw new GraphError(
      `${printType(x.type)} does not divide into blocks of ${size}; lengths must be known`,
      "bad_model",
    );
  if (!toSpace)
    return [
      x
        .reshape([batch, depth, height / size, size, width / size, size])
        .transpose([0, 3, 5, 1, 2, 4])
        .reshape([batch, depth * size * size, height / size, width / size]),
    ];
  const rest = depth / (size * size);
  const split =
    call.attributes.string("mode", "DCR") === "DCR"
      ? x.reshape([batch, size, size, rest, height, width]).transpose([0, 3, 4, 1, 5, 2])
      : x.reshape([batch, rest, size, size, height, width]).transpose([0, 1, 4, 2, 5, 3]);
  return [split.reshape([batch, rest, height * size, width * size])];
}

function readLpNormalization(call: Call): readonly Expression[] {
  const x = call.x(0);
  const axis = axisOf(call.operator, call.attributes.int("axis", -1), x.rank);
  const size = call.attributes.int("p", 2) === 1 ? x.abs() : x.mul(x);
  const total = size.sum(axis, { keepdims: true });
  return [x.div(call.attributes.int("p", 2) === 1 ? total : total.sqrt())];
}

export const composed: readonly (readonly [string, Read])[] = [
  ["Einsum", readEinsum],
  ["Resize", readResize],
  ["DepthToSpace", readBlocks],
  ["SpaceToDepth", readBlocks],
  ["LpNormalization", readLpNormalization],
  ["CastLike", (call) => [call.x(0).cast(call.x(1).dtype)]],
  ["Swish", (call) => [call.x(0).mul(call.x(0).mul(call.attributes.float("alpha", 1)).sigmoid())]],
];
