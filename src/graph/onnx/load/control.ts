// Loop and If, where what they do is known before anything runs: a loop is written out round by round, a branch chosen.
import type { GraphProto } from "onnx-buf";
import { Tensor, toNumbers } from "../../../tensor/index.js";
import { concat } from "../../catalogue/shaping.js";
import { GraphError } from "../../error.js";
import type { Expression } from "../../expression.js";
import { constant } from "../../operand.js";
import { printType, sameShape } from "../../shape.js";
import type { Call } from "./call.js";
import { Value } from "./value.js";

export function readLoop(call: Call): readonly Value[] {
  const body = call.attributes.graph("body");
  const trips = number(call, 0);
  const going = call.has(1) ? number(call, 1) : 1;
  if (trips === undefined || going === undefined || !(trips >= 0))
    throw new GraphError(
      "its trip count and its condition must be constants, so that what it does is known before it runs",
      "unsupported",
    );
  const rounds = going === 0 ? 0 : trips;
  let carried = call.inputs.slice(2).map((_, i) => call.value(i + 2));
  const scans = body.output.length - 1 - carried.length;
  if (scans < 0)
    throw new GraphError(
      `its body gives ${body.output.length} values; it carries ${carried.length} and a condition`,
      "bad_model",
    );
  if (rounds === 0 && scans > 0)
    throw new GraphError("it collects the values of its rounds and has none", "unsupported");
  const collected: Expression[][] = Array.from({ length: scans }, () => []);
  for (let round = 0; round < rounds; round++) {
    const results = call.readGraph(body, [index(round), truth(), ...carried]);
    if (results[0]!.constant?.data[0] !== 1)
      throw new GraphError(
        "its body may end it early; only a constant trip count is known before it runs",
        "unsupported",
      );
    const next = results.slice(1, 1 + carried.length);
    next.forEach((value, i) => {
      sameType(value.expression, carried[i]!.expression);
    });
    carried = next;
    results
      .slice(1 + carried.length)
      .forEach((value, i) => collected[i]!.push(value.expression.expandDims(0)));
  }
  return [...carried, ...collected.map((values) => Value.of(concat(values)))];
}

export function readIf(call: Call): readonly Value[] {
  const test = number(call, 0);
  if (test === undefined)
    throw new GraphError("its condition is computed when it runs; use where on both values", "unsupported");
  const branches: readonly GraphProto[] = [
    call.attributes.graph("then_branch"),
    call.attributes.graph("else_branch"),
  ];
  return call.readGraph(branches[test === 0 ? 1 : 0]!, []);
}

/** The value of an input that is a constant of one element; `undefined` where it is none, 2^53 where a Loop's count is left out. */
function number(call: Call, i: number): number | undefined {
  if (!call.has(i)) return undefined;
  const dims = call.value(i).dims;
  if (dims)
    return dims.values.length === 1 && typeof dims.values[0] === "number" ? dims.values[0] : undefined;
  const tensor = call.value(i).constant;
  return tensor?.size === 1 ? toNumbers(tensor)[0] : undefined;
}

function index(round: number): Value {
  return Value.of(constant(new Tensor("int64", [], BigInt64Array.of(BigInt(round)))));
}

function truth(): Value {
  return Value.of(constant(new Tensor("bool", [], Uint8Array.of(1))));
}

function sameType(after: Expression, before: Expression): void {
  if (after.dtype !== before.dtype || !sameShape(after.shape, before.shape))
    throw new GraphError(
      `it carries ${printType(before.type)}, which a round makes ${printType(after.type)}; shapes must stay`,
      "unsupported",
    );
}
