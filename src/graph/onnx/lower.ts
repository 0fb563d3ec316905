// One operator of a graph as ONNX nodes: its arguments as attributes and operand tensors, casts to a dtype with a kernel, dimensions read at run time.
import type { AttributeProto, NodeProto, TensorProto } from "onnx-buf";
import { DTYPES, fromNumbers, Tensor, type DType } from "../../tensor/index.js";
import { symbolsOf, termsOf, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import type { Node } from "../expression.js";
import { castFor } from "../kernels.js";
import type { Attrs, AttrKind, AttrValue, HostRow, TensorRow } from "../row.js";
import { create } from "./codec.js";
import { AttributeSchema, AttributeType, NodeSchema, TensorSchema } from "./messages.js";

const text = new TextEncoder();

/** The domain of host operators. */
export const HOST_DOMAIN = "flockwork.host";

/** ONNX nodes in the making. Names are positions, so equal graphs give equal bytes. */
export class Lowering {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  private readonly constants = new Map<string, string>();
  private readonly dims = new Map<string, string>();
  private readonly symbols = new Map<string, { readonly name: string; readonly axis: number }>();
  private counter = 0;

  /** `taken`: names that people gave, which nothing else may bear. */
  constructor(private readonly taken: ReadonlySet<string> = new Set()) {}
  /** Whether a host operator is among the nodes. */
  hosts = false;
  /** The operation that the next nodes are of, so that an engine's errors say which: `matmul.4`, and `matmul.4/1` for a second node. */
  #label = "";
  #named = 0;

  set label(label: string) {
    this.#label = label;
    this.#named = 0;
  }

  /** No two nodes of a model may share a name. */
  #name(): string {
    const at = this.#named++;
    return at === 0 || this.#label === "" ? this.#label : `${this.#label}/${at}`;
  }

  /** Remembers where a symbol's value can be read. */
  learn(name: string, shape: readonly Dim[]): void {
    shape.forEach((dim, axis) => {
      if (typeof dim === "string" && symbolsOf(dim)[0] === dim && !this.symbols.has(dim))
        this.symbols.set(dim, { name, axis });
    });
  }

  fresh(): string {
    let name: string;
    do name = `t${this.counter++}`;
    while (this.taken.has(name));
    return name;
  }

  /** One ONNX node; the names of its outputs. */
  emit(
    opType: string,
    inputs: readonly string[],
    attribute: AttributeProto[] = [],
    outputs: readonly string[] = [this.fresh()],
  ): readonly string[] {
    this.nodes.push(
      create(NodeSchema, {
        name: this.#name(),
        opType,
        input: [...inputs],
        output: [...outputs],
        attribute,
      }),
    );
    return outputs;
  }

  /** The name of a constant; equal constants share one. */
  constant(value: Tensor): string {
    const bytes = rawData(value);
    const key = `${value.dtype}|${value.shape.join()}|${bytes.join()}`;
    let name = this.constants.get(key);
    if (name === undefined) {
      name = `c${this.constants.size}`;
      while (this.taken.has(name)) name += "_";
      this.constants.set(key, name);
      this.initializers.push(tensorProto(name, value));
    }
    return name;
  }

  /** A tensor row's node, with casts round it where no engine has a kernel for its dtype. */
  row(node: Node, row: TensorRow, inputs: readonly string[], outputs: readonly string[]): void {
    const to = castFor(row, node.inputs);
    const from = node.inputs[row.kernelInputs?.[0] ?? 0]?.dtype;
    const shared = (i: number): boolean => row.kernelInputs?.includes(i) ?? true;
    const operands =
      to === undefined ? inputs : inputs.map((name, i) => (shared(i) ? this.cast(name, to) : name));
    const attrs = row.exported ? row.exported(node.attrs) : node.attrs;
    const own = Object.entries(row.operands ?? {}).map(([key, kind]) =>
      this.operand(kind, attrs[key], to ?? from ?? "float32"),
    );
    while (own.at(-1) === "") own.pop();
    const results =
      to === undefined
        ? outputs
        : node.types.map(({ dtype }, i) => (dtype === from ? this.fresh() : outputs[i]!));
    this.emit(row.onnx, [...operands, ...own], attributes(row, attrs), results);
    results.forEach((name, i) => {
      if (name !== outputs[i]) this.cast(name, node.types[i]!.dtype, outputs[i]);
    });
  }

  /** A host operator's node: none of ONNX's, but named and versioned, so that the model says all of the program and those who know it can run it. */
  host(node: Node, row: HostRow, inputs: readonly string[], outputs: readonly string[]): void {
    this.hosts = true;
    this.nodes.push(
      create(NodeSchema, {
        name: this.#name(),
        opType: row.name,
        domain: HOST_DOMAIN,
        input: [...inputs],
        output: [...outputs],
        attribute: [...attributes(row, node.attrs), attribute("version", "int", row.version)],
      }),
    );
  }

  cast(name: string, to: DType, output = this.fresh()): string {
    return this.emit("Cast", [name], [attribute("to", "dtype", to)], [output])[0]!;
  }

  /** The product of nothing but a dimension, as a scalar of int64 or as a vector of one. */
  dimension(dim: Dim, shape: readonly number[]): string {
    if (typeof dim === "number")
      return this.constant(new Tensor("int64", shape, BigInt64Array.of(BigInt(dim))));
    const vector = this.dims.get(dim) ?? this.polynomial(dim);
    this.dims.set(dim, vector);
    return shape.length === 1 ? vector : this.emit("Squeeze", [vector])[0]!;
  }

  private operand(kind: AttrKind, value: AttrValue, dtype: DType): string {
    if (value === undefined) return "";
    if (kind === "value") return this.constant(new Tensor(dtype, [], fromNumbers(dtype, [value as number])));
    if (kind === "dim") return this.dimension(value as Dim, [1]);
    const list = (typeof value === "object" ? value : [value]) as readonly Dim[];
    if (kind === "floats")
      return this.constant(new Tensor("float32", [list.length], Float32Array.from(list as number[])));
    if (list.every((dim) => typeof dim === "number"))
      return this.constant(
        new Tensor(
          "int64",
          kind === "int" ? [] : [list.length],
          BigInt64Array.from(list, (n) => BigInt(n)),
        ),
      );
    return this.emit(
      "Concat",
      list.map((dim) => this.dimension(dim, [1])),
      [attribute("axis", "int", 0)],
    )[0]!;
  }

  private polynomial(dim: string): string {
    const terms = termsOf(dim).map(({ coefficient, symbols }) => {
      const factors = [
        ...symbols.map((symbol) => this.symbol(symbol)),
        ...(coefficient === 1 && symbols.length > 0 ? [] : [this.dimension(coefficient, [1])]),
      ];
      return factors.reduce((a, b) => this.emit("Mul", [a, b])[0]!);
    });
    return terms.reduce((a, b) => this.emit("Add", [a, b])[0]!);
  }

  private symbol(symbol: string): string {
    const known = this.dims.get(symbol);
    if (known !== undefined) return known;
    const source = this.symbols.get(symbol);
    if (!source)
      throw new GraphError(
        `no input of the program has the dimension "${symbol}" as one of its own, so its value is never known; declare one that has it in inputs: { ... }`,
      );
    const [name] = this.emit(
      "Shape",
      [source.name],
      [attribute("start", "int", source.axis), attribute("end", "int", source.axis + 1)],
    );
    this.dims.set(symbol, name!);
    return name!;
  }
}

function attributes(row: TensorRow | HostRow, attrs: Attrs): AttributeProto[] {
  return Object.entries(row.attributes ?? {}).flatMap(([name, kind]) =>
    attrs[name] === undefined || kind === "fresh" ? [] : [attribute(name, kind, attrs[name])],
  );
}

export function attribute(name: string, kind: Exclude<AttrKind, "fresh">, value: AttrValue): AttributeProto {
  switch (kind) {
    case "int":
    case "dim":
      return create(AttributeSchema, { name, type: AttributeType.INT, i: BigInt(value as number) });
    case "ints":
    case "dims":
      return create(AttributeSchema, {
        name,
        type: AttributeType.INTS,
        ints: (value as readonly number[]).map(BigInt),
      });
    case "float":
    case "value":
      return create(AttributeSchema, { name, type: AttributeType.FLOAT, f: value as number });
    case "floats":
      return create(AttributeSchema, {
        name,
        type: AttributeType.FLOATS,
        floats: [...(value as readonly number[])],
      });
    case "string":
      return create(AttributeSchema, {
        name,
        type: AttributeType.STRING,
        s: text.encode(value as string),
      });
    case "dtype":
      return create(AttributeSchema, {
        name,
        type: AttributeType.INT,
        i: BigInt(DTYPES[value as DType].onnx),
      });
    default:
      return kind satisfies never;
  }
}

export function tensorProto(name: string, value: Tensor): TensorProto {
  return create(TensorSchema, {
    name,
    dataType: DTYPES[value.dtype].onnx,
    dims: value.shape.map(BigInt),
    rawData: rawData(value),
  });
}

function rawData({ data }: Tensor): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
