// ONNX operators that are no row, or that ONNX writes in more ways than a row takes: each as expressions. The rest is read by rows.
import type { Tensor } from "../../../tensor/index.js";
import { GraphError } from "../../error.js";
import type { Expression } from "../../expression.js";
import type { Call } from "./call.js";
import { composed } from "./composed.js";
import { readIf, readLoop } from "./control.js";
import { normalisations } from "./normalise.js";
import { pools, readConv } from "./slide.js";
import { shapes } from "./reshape.js";
import { constant } from "../../operand.js";
import { readRow } from "./row.js";
import { fromNumbers, Tensor as TensorValue } from "../../../tensor/index.js";
import type { Value } from "./value.js";

/** The outputs of a node; undefined where its row reads it. */
export type Read = (call: Call) => readonly (Expression | Value)[] | undefined;

function readConstant(call: Call): readonly Expression[] {
  const [name, ...rest] = call.attributes.names;
  const value = name === undefined ? undefined : call.attributes.get(name);
  if (name === undefined || value === undefined || rest.length > 0)
    throw new GraphError(`a constant has one value; this has ${call.attributes.names.length}`, "bad_model");
  const of = (
    dtype: "float32" | "int64",
    numbers: readonly number[],
    shape: readonly number[],
  ): Expression[] => [constant(new TensorValue(dtype, shape, fromNumbers(dtype, numbers)))];
  switch (name) {
    case "value":
      if (typeof value !== "object" || !("dtype" in value)) break;
      return [constant(value as Tensor)];
    case "value_float":
      return of("float32", [call.attributes.float(name)!], []);
    case "value_int":
      return of("int64", [call.attributes.int(name)!], []);
    case "value_floats":
      return of("float32", call.attributes.floats(name)!, [call.attributes.floats(name)!.length]);
    case "value_ints":
      return of("int64", call.attributes.ints(name)!, [call.attributes.ints(name)!.length]);
  }
  throw new GraphError(`its ${name} is not read`, "unsupported");
}

/** alpha * A' B' + beta * C. */
function readGemm(call: Call): readonly Expression[] {
  const { attributes } = call;
  const turned = (x: Expression, name: string): Expression => (attributes.int(name, 0) ? x.transpose() : x);
  if ([call.x(0), call.x(1)].some((x) => x.rank !== 2))
    throw new GraphError("it multiplies matrices only", "bad_model");
  const scaled = (x: Expression, name: string): Expression =>
    attributes.float(name, 1) === 1 ? x : x.mul(attributes.float(name, 1));
  const product = scaled(turned(call.x(0), "transA").matmul(turned(call.x(1), "transB")), "alpha");
  return [call.has(2) ? product.add(scaled(call.x(2), "beta")) : product];
}

/** An operator of any number of inputs, by one of two. */
function folded(join: (a: Expression, b: Expression) => Expression): Read {
  return (call) => [call.inputs.map((_, i) => call.x(i)).reduce(join)];
}

function readDropout(call: Call): readonly Expression[] {
  const training = call.constant(2, "training_mode");
  if (training?.data[0])
    throw new GraphError("it drops at random, as in training; save the model for inference", "unsupported");
  return [call.x(0), call.x(0).equal(call.x(0)).logicalOr(true)];
}

/** Axes may be left out, which means all of them, and count from the end; rows want them named. */
function readReduce(call: Call): readonly Expression[] {
  const x = call.x(0);
  const axes = call.has(1) ? call.numbers(1, "axes") : call.attributes.ints("axes");
  if ((axes?.length ?? 0) === 0 && call.attributes.int("noop_with_empty_axes", 0)) return [x];
  const own = axes && axes.length > 0 ? axes : x.shape.map((_, i) => i);
  if (own.length === 0) return [x];
  const sorted = own.map((axis) => (axis < 0 ? axis + x.rank : axis)).sort((a, b) => a - b);
  if (new Set(sorted).size !== sorted.length)
    throw new GraphError(`axes [${axes!.join()}] name one twice`, "bad_model");
  return readRow(call, { axes: sorted, noop_with_empty_axes: 0 });
}

/** Limits may be empty tensors of no value. */
function readClip(call: Call): readonly Expression[] | undefined {
  const limits = [1, 2].map((i) => (call.has(i) ? call.value(i).constant : undefined));
  if ([1, 2].every((i) => !call.has(i) || limits[i - 1])) return undefined;
  const above = call.has(1) ? call.x(0).maximum(call.x(1)) : call.x(0);
  return [call.has(2) ? above.minimum(call.x(2)) : above];
}

function readOneHot(call: Call): readonly Expression[] {
  const depth = call.numbers(1, "depth")?.[0];
  const x = call.x(0);
  if (depth === undefined || !(depth >= 0 && depth <= 2 ** 20))
    throw new GraphError(`the depth is ${depth}; it must be a number up to ${2 ** 20}`, "unsupported");
  const axis = call.attributes.int("axis", -1);
  if (axis !== -1 && axis !== x.rank)
    throw new GraphError(`it counts along axis ${axis}; only the last is read`, "unsupported");
  const hot = x.add(x.less(0).cast(x.dtype).mul(depth)).oneHot(depth, { dtype: "bool" });
  const values = call.x(2);
  return [hot.where(values.slice([1], [2]), values.slice([0], [1]))];
}

const mean: Read = (call) => {
  const total = call.inputs.map((_, i) => call.x(i)).reduce((a, b) => a.add(b));
  return [total.div(call.inputs.length)];
};

const reductions = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"];

export const byHand: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["Constant", readConstant],
  ["Identity", (call) => [call.value(0)]],
  ["Dropout", readDropout],
  ["Gemm", readGemm],
  ["Max", folded((a, b) => a.maximum(b))],
  ["Min", folded((a, b) => a.minimum(b))],
  ["Sum", folded((a, b) => a.add(b))],
  ["Mean", mean],
  ["Clip", readClip],
  ["OneHot", readOneHot],
  ["Loop", readLoop],
  ["If", readIf],
  ["Conv", readConv],
  ["ConvTranspose", readConv],
  ...reductions.map((name) => [`Reduce${name}`, readReduce] as const),
  ...shapes,
  ...pools,
  ...normalisations,
  ...composed,
]);
