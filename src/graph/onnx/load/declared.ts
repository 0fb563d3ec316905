// What a model says of its inputs and outputs: dtypes and shapes, its names for lengths made into symbols.
import type { GraphProto, TypeProto_Tensor, ValueInfoProto } from "onnx-buf";
import type { Dim } from "../../dim.js";
import { GraphError } from "../../error.js";
import type { Type } from "../../shape.js";
import { dtypeOf } from "./tensor.js";

/** The inputs that are given at each run: those that no initializer gives. */
export function inputNames(graph: GraphProto): readonly string[] {
  const given = new Set(graph.initializer.map(({ name }) => name));
  return graph.input.map(({ name }) => name).filter((name) => !given.has(name));
}

/** The tensor type of a value, if it is said. Throws where it is said to be no tensor. */
export function declared({ name, type }: ValueInfoProto): TypeProto_Tensor | undefined {
  if (!type?.value.case) return undefined;
  if (type.value.case !== "tensorType")
    throw new GraphError(
      `"${name}" is a ${type.value.case.replace("Type", "")}; only tensors are read`,
      "unsupported",
    );
  return type.value.value;
}

/** Names that are symbols as they stand; others, and those that every object has, are changed. */
function isSymbol(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !(name in Object.prototype);
}

export class Renaming {
  private readonly names = new Map<string, string>();

  constructor(
    graph: GraphProto,
    private readonly lengths: Readonly<Record<string, number>>,
  ) {
    for (const info of graph.input)
      for (const { value } of declared(info)?.shape?.dim ?? [])
        if (value.case === "dimParam" && isSymbol(value.value)) this.names.set(value.value, value.value);
  }

  type(info: ValueInfoProto): Type {
    const said = declared(info);
    if (!said) throw new GraphError(`the model does not say of what type "${info.name}" is`, "bad_model");
    if (!said.shape)
      throw new GraphError(`the model does not say of what shape "${info.name}" is`, "bad_model");
    const what = `"${info.name}"`;
    return {
      dtype: dtypeOf(said.elemType, what),
      shape: said.shape.dim.map(({ value }, axis) => {
        if (value.case === "dimValue") return length(value.value, what);
        return this.symbol(value.case === "dimParam" ? value.value : "", `${info.name}_${axis}`);
      }),
    };
  }

  /** A name that is no symbol becomes one; no name at all is a length of its own. */
  private symbol(text: string, place: string): Dim {
    const key = text === "" ? `\n${place}` : text;
    let name = this.names.get(key);
    if (name === undefined) {
      const taken = new Set(this.names.values());
      const base = (text === "" ? place : text).replaceAll(/\W+/g, "_").replace(/^(?![A-Za-z_])/, "_");
      name = base;
      for (let i = 2; taken.has(name) || name in Object.prototype; i++) name = `${base}_${i}`;
      this.names.set(key, name);
    }
    return Object.hasOwn(this.lengths, name) ? this.lengths[name]! : name;
  }
}

function length(value: bigint, what: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new GraphError(`a dimension of ${what} is ${value}; it must be a whole number from 0`, "bad_model");
  return Number(value);
}
