// The attributes of one ONNX node, read by name and kind. Refuses what is not of the kind, and names what nobody read.
import { AttributeProto_AttributeType as AttributeType, type GraphProto, type NodeProto } from "onnx-buf";
import type { Tensor } from "../../../tensor/index.js";
import { GraphError } from "../../error.js";
import { readTensor } from "./tensor.js";

const text = new TextDecoder();

/** Attributes that are yes or no. Other numbers mean one or the other to each reader, so that shapes would be in doubt. */
const FLAGS: ReadonlySet<string> = new Set(
  (
    "allowzero antialias ceil_mode count_include_pad detect_negative detect_positive exclude_outside exclusive fmod keepdims largest " +
    "noop_with_empty_axes reverse saturate select_last_index sorted storage_order training_mode transA transB upper"
  ).split(" "),
);

/** What an attribute holds, whatever its kind. */
export type Plain = number | string | readonly number[] | Tensor | GraphProto;

export class Attributes {
  private readonly values = new Map<string, Plain>();

  constructor(node: NodeProto) {
    for (const each of node.attribute) {
      const { name, type } = each;
      if (name === "" || this.values.has(name))
        throw new GraphError(
          `an attribute is ${name === "" ? "without a name" : `twice there: ${name}`}`,
          "bad_model",
        );
      if (each.refAttrName !== "")
        throw new GraphError(
          `the attribute ${name} refers to one of a function, and there are no functions`,
          "bad_model",
        );
      switch (type) {
        case AttributeType.INT:
          this.values.set(name, integer(name, each.i));
          break;
        case AttributeType.INTS:
          this.values.set(
            name,
            each.ints.map((i) => integer(name, i)),
          );
          break;
        case AttributeType.FLOAT:
          this.values.set(name, each.f);
          break;
        case AttributeType.FLOATS:
          this.values.set(name, each.floats);
          break;
        case AttributeType.STRING:
          this.values.set(name, text.decode(each.s));
          break;
        case AttributeType.TENSOR:
          if (!each.t) throw new GraphError(`the attribute ${name} holds no tensor`, "bad_model");
          this.values.set(name, readTensor(each.t, `the attribute ${name}`));
          break;
        case AttributeType.GRAPH:
          if (!each.g) throw new GraphError(`the attribute ${name} holds no graph`, "bad_model");
          this.values.set(name, each.g);
          break;
        default:
          throw new GraphError(
            `the attribute ${name} is of the kind ${AttributeType[type] ?? type}, which is not read`,
            "unsupported",
          );
      }
    }
  }

  get names(): readonly string[] {
    return [...this.values.keys()];
  }

  get(name: string): Plain | undefined {
    return this.values.get(name);
  }

  int(name: string): number | undefined;
  int(name: string, fallback: number): number;
  int(name: string, fallback?: number): number | undefined {
    return this.of(name, fallback, "a whole number", (v) => Number.isInteger(v)) as number | undefined;
  }

  float(name: string): number | undefined;
  float(name: string, fallback: number): number;
  float(name: string, fallback?: number): number | undefined {
    return this.of(name, fallback, "a number", (v) => typeof v === "number") as number | undefined;
  }

  ints(name: string): readonly number[] | undefined {
    return this.of(name, undefined, "whole numbers", (v) => Array.isArray(v) && v.every(Number.isInteger)) as
      readonly number[] | undefined;
  }

  floats(name: string): readonly number[] | undefined {
    return this.of(name, undefined, "numbers", Array.isArray) as readonly number[] | undefined;
  }

  string(name: string, fallback: string): string {
    return this.of(name, fallback, "text", (v) => typeof v === "string") as string;
  }

  graph(name: string): GraphProto {
    const value = this.values.get(name);
    if (typeof value !== "object" || !("$typeName" in value))
      throw new GraphError(`the attribute ${name} must be a graph`, "bad_model");
    return value;
  }

  private of(
    name: string,
    fallback: Plain | undefined,
    what: string,
    fits: (value: Plain) => boolean,
  ): Plain | undefined {
    const value = this.values.get(name);
    if (value === undefined) return fallback;
    if (!fits(value)) throw new GraphError(`the attribute ${name} must be ${what}`, "bad_model");
    return value;
  }
}

/** The largest and smallest int64 stand for "to the end" and are kept as what numbers can hold. */
function integer(name: string, value: bigint): number {
  if (FLAGS.has(name) && value !== 0n && value !== 1n)
    throw new GraphError(`the attribute ${name} is ${value}; it is 0 or 1`, "bad_model");
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  if (value < -Number.MAX_SAFE_INTEGER) return -Number.MAX_SAFE_INTEGER;
  return Number(value);
}
