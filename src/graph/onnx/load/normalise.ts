// Reads ONNX's normalisations as what they are made of, so that they differentiate and split like anything else.
import { GraphError } from "../../error.js";
import type { Expression } from "../../expression.js";
import { axisOf, printType } from "../../shape.js";
import type { Call } from "./call.js";
import type { Read } from "./operators.js";
import { readRow } from "./row.js";

/** (x - mean) / sqrt(variance + epsilon) over axes. */
function standard(x: Expression, axes: readonly number[], epsilon: number): Expression {
  const centred = x.sub(x.mean(axes, { keepdims: true }));
  return centred.div(centred.mul(centred).mean(axes, { keepdims: true }).add(epsilon).sqrt());
}

/** A value a channel, as it broadcasts over [batch, channels, ...space]. */
function perChannel(value: Expression, x: Expression): Expression {
  if (value.rank !== 1)
    throw new GraphError(
      `${printType(value.type)} must have one element a channel of ${printType(x.type)}`,
      "bad_model",
    );
  return value.reshape([value.shape[0]!, ...x.shape.slice(2).map(() => 1)]);
}

function batch(call: Call): readonly Expression[] {
  if (call.attributes.int("training_mode", 0))
    throw new GraphError("it learns its means, as in training; save the model for inference", "unsupported");
  const x = call.x(0);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => perChannel(call.x(i), x)) as [
    Expression,
    Expression,
    Expression,
    Expression,
  ];
  const deviation = variance.add(call.attributes.float("epsilon", 1e-5)).sqrt();
  return [x.sub(mean).mul(scale.div(deviation)).add(bias)];
}

function layer(call: Call): readonly Expression[] {
  const x = call.x(0);
  const y = standard(x, trailing(call, x), call.attributes.float("epsilon", 1e-5)).mul(call.x(1));
  return [call.has(2) ? y.add(call.x(2)) : y];
}

function rootMeanSquare(call: Call): readonly Expression[] {
  const x = call.x(0);
  const square = x.mul(x).mean(trailing(call, x), { keepdims: true });
  return [x.div(square.add(call.attributes.float("epsilon", 1e-5)).sqrt()).mul(call.x(1))];
}

function trailing(call: Call, x: Expression): number[] {
  const axis = axisOf(call.operator, call.attributes.int("axis", -1), x.rank);
  return x.shape.flatMap((_, i) => (i < axis ? [] : i));
}

function instance(call: Call): readonly Expression[] {
  const x = call.x(0);
  const y = standard(
    x,
    x.shape.slice(2).map((_, i) => i + 2),
    call.attributes.float("epsilon", 1e-5),
  );
  return [y.mul(perChannel(call.x(1), x)).add(perChannel(call.x(2), x))];
}

function group(call: Call): readonly Expression[] {
  const x = call.x(0);
  const groups = call.attributes.int("num_groups", 0);
  const channels = x.shape[1];
  if (typeof channels !== "number" || groups < 1 || channels % groups !== 0)
    throw new GraphError(
      `the channels of ${printType(x.type)} do not divide into ${groups} groups`,
      "bad_model",
    );
  if (call.opset < 21)
    throw new GraphError("before operator set 21 its scale is one a group; convert the model", "unsupported");
  const split = x.reshape([x.shape[0]!, groups, channels / groups, ...x.shape.slice(2)]);
  const axes = split.shape.slice(2).map((_, i) => i + 2);
  const y = standard(split, axes, call.attributes.float("epsilon", 1e-5)).reshape(x.shape);
  return [y.mul(perChannel(call.x(1), x)).add(perChannel(call.x(2), x))];
}

/** The row where it takes the call: its gradient is shorter. It has no float64, and wants scales of the full shape. */
function rowFirst(read: Read): Read {
  return (call) => {
    try {
      return readRow(call);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      return read(call);
    }
  };
}

export const normalisations: readonly (readonly [string, Read])[] = [
  ["BatchNormalization", rowFirst(batch)],
  ["LayerNormalization", rowFirst(layer)],
  ["RMSNormalization", rootMeanSquare],
  ["InstanceNormalization", rowFirst(instance)],
  ["GroupNormalization", group],
];
