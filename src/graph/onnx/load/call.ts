// One node of a model while it is read: its inputs and attributes, and how those who read it reach them.
import type { GraphProto, NodeProto } from "onnx-buf";
import type { Tensor } from "../../../tensor/index.js";
import { GraphError } from "../../error.js";
import type { Dim } from "../../dim.js";
import type { Expression } from "../../expression.js";
import type { Attributes } from "./attribute.js";
import { operatorOf } from "./parse.js";
import type { Value } from "./value.js";

/** Reads a subgraph: values for its inputs by position give values of its outputs. */
export type ReadGraph = (graph: GraphProto, given: readonly Value[]) => readonly Value[];

export class Call {
  constructor(
    readonly proto: NodeProto,
    readonly attributes: Attributes,
    /** Undefined where an optional input is left out. */
    readonly inputs: readonly (Value | undefined)[],
    readonly opset: number,
    readonly readGraph: ReadGraph,
  ) {}

  get operator(): string {
    return operatorOf(this.proto);
  }

  /** The same with its first inputs only. */
  upTo(inputs: number): Call {
    return new Call(this.proto, this.attributes, this.inputs.slice(0, inputs), this.opset, this.readGraph);
  }

  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  value(i: number): Value {
    const value = this.inputs[i];
    if (!value) throw new GraphError(`input ${i} is missing`, "bad_model");
    return value;
  }

  /** An input as an expression. */
  x(i: number): Expression {
    return this.value(i).expression;
  }

  /** An input as dimensions, which must be known before anything runs; undefined where it is left out. */
  dims(i: number, what: string): readonly Dim[] | undefined {
    const value = this.inputs[i];
    if (!value) return undefined;
    const dims = value.dims;
    if (!dims)
      throw new GraphError(
        `${what} are computed from the elements of a tensor, so that shapes are not known before it runs`,
        "unsupported",
      );
    return dims.values;
  }

  /** As `dims`, but plain whole numbers. */
  numbers(i: number, what: string): readonly number[] | undefined {
    const dims = this.dims(i, what);
    if (dims && !dims.every((dim) => typeof dim === "number"))
      throw new GraphError(`${what} are [${dims.join(",")}]; they must be numbers`, "unsupported");
    return dims as readonly number[] | undefined;
  }

  /** An input that is a constant; undefined where it is left out. */
  constant(i: number, what: string): Tensor | undefined {
    const value = this.inputs[i];
    if (!value) return undefined;
    const tensor = value.constant;
    if (!tensor) throw new GraphError(`${what} must be a constant`, "unsupported");
    return tensor;
  }
}
