// A program: a graph frozen as one canonical ONNX model, with the names its user gave. It runs nothing; engines do.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Tensor } from "../tensor/index.js";
import { canonicalize, type CanonicalGraph } from "./canonical.js";
import { costOf, type Cost } from "./cost.js";
import type { Binding } from "./dim.js";
import { GraphError } from "./error.js";
import type { Expression, Node } from "./expression.js";
import { checkFeed } from "./interpreter.js";
import { toModel } from "./onnx/export.js";
import { printType, type Type } from "./shape.js";
import { constantRow, inputRow } from "./source.js";

export interface ProgramSpec {
  /** What is given at each run. A tensor here is an input with its value as default; inputs left out go by their own names. */
  readonly inputs?: Readonly<Record<string, Expression>>;
  readonly outputs: Readonly<Record<string, Expression>>;
}

/** One value that goes in or out: the user's name, and the name in the canonical model. */
export interface Port {
  readonly name: string;
  readonly slot: string;
  readonly type: Type;
  /** The value when none is given. */
  readonly initial?: Tensor;
}

export class Program {
  #model: Uint8Array | undefined = undefined;
  #hash: string | undefined = undefined;

  constructor(
    readonly graph: CanonicalGraph,
    /** What the model needs, in its order. */
    readonly inputs: readonly Port[],
    readonly outputs: readonly Port[],
  ) {}

  /** The canonical ONNX model. */
  get model(): Uint8Array {
    this.#model ??= toModel({
      nodes: this.graph.nodes,
      inputs: this.graph.inputs.map(({ node }) => ({ node, name: node.source!.name! })),
      outputs: this.graph.outputs.map((expression, i) => ({ expression, name: `o${i}` })),
    });
    return this.#model;
  }

  /** SHA-256 of the model's bytes: equal structure, equal hash. */
  get hash(): string {
    this.#hash ??= bytesToHex(sha256(this.model));
    return this.#hash;
  }

  /** FLOPs and bytes of one run, for these lengths of the symbols. */
  cost(binding: Binding = {}): Cost {
    const renamed = Object.fromEntries(
      Object.entries(binding).map(([name, value]) => [this.graph.symbols.get(name) ?? name, value]),
    );
    return costOf(this.graph.nodes, renamed);
  }

  /**
   * The model under the user's names, with the tensors' values inside: what other tools open. An output that bears the name of an
   * input, as a gradient does, is called `<name>_out`: in a model no two values share a name.
   */
  toOnnx(): Uint8Array {
    const taken = new Set([...this.inputs, ...this.outputs].map(({ name }) => name));
    const own = new Set(this.inputs.map(({ name }) => name));
    const outputName = (name: string): string => {
      if (!own.has(name)) return name;
      let free = `${name}_out`;
      while (taken.has(free)) free += "_";
      taken.add(free);
      return free;
    };
    return toModel({
      nodes: this.graph.nodes,
      inputs: this.graph.inputs.map(({ node }, i) => ({
        node,
        name: this.inputs[i]!.name,
        ...(this.inputs[i]!.initial && { initial: this.inputs[i]!.initial }),
      })),
      outputs: this.graph.outputs.map((expression, i) => ({
        expression,
        name: outputName(this.outputs[i]!.name),
      })),
    });
  }

  /** Writes toOnnx() to a file. In Node; a browser has no files: offer toOnnx() as a download there. */
  async save(path: string): Promise<void> {
    // Asked for by name at run time, so that nothing of Node is imported where browsers load this.
    const files = (globalThis.process as NodeJS.Process | undefined)?.getBuiltinModule?.("node:fs");
    if (!files)
      throw new GraphError(
        "save writes a file, and there are none here; offer the bytes of toOnnx() as a download",
        "unsupported",
      );
    await files.promises.writeFile(path, this.toOnnx());
  }

  /** Values by slot from values by name; what is not given takes its initial value. Throws a GraphError on a missing or unknown name, and on a value that does not fit. */
  feeds(given: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    for (const name of Object.keys(given))
      if (!this.inputs.some((port) => port.name === name))
        throw new GraphError(
          `the program has no input "${name}"; it has ${this.inputs.map((port) => port.name).join(", ") || "none"}`,
        );
    const binding: Record<string, number> = {};
    return Object.fromEntries(
      this.inputs.map(({ name, slot, type, initial }) => {
        const value = given[name] ?? initial;
        if (!value)
          throw new GraphError(`the program's input "${name}" has no value; it wants ${printType(type)}`);
        checkFeed(name, type, value, binding);
        return [slot, value];
      }),
    );
  }
}

/** Freezes the graph behind `outputs`. Throws a GraphError when two inputs share a name. */
export function program(spec: ProgramSpec): Program {
  const made = unwritten(spec);
  // Whatever can not be written is told here, not where the model is read.
  void made.model;
  return made;
}

/** The same for a program that is to be planned: its model is written only if somebody asks for it. */
export function unwritten({ inputs = {}, outputs }: ProgramSpec): Program {
  const names = new Map<Node, string>();
  for (const [name, x] of Object.entries(inputs)) {
    if (x.node.row !== inputRow && x.node.row !== constantRow)
      throw new GraphError(
        `program: inputs.${name} is ${String(x)}, which is computed; an input is made by input() or tensor()`,
      );
    names.set(x.node, name);
  }
  const graph = canonicalize(Object.values(outputs), new Set(names.keys()));
  const ports = graph.inputs.map(({ node, origin }, i): Port => {
    const initial = origin.source?.value;
    return {
      name: names.get(origin) ?? origin.source?.name ?? `constant${i}`,
      slot: node.source!.name!,
      type: origin.types[0]!,
      ...(initial && { initial }),
    };
  });
  const taken = new Set<string>();
  for (const { name } of ports) {
    if (taken.has(name))
      throw new GraphError(`program: two inputs are called "${name}"; name them apart in inputs: { ... }`);
    taken.add(name);
  }
  const outs = Object.entries(outputs).map(([name, x], i): Port => ({ name, slot: `o${i}`, type: x.type }));
  return new Program(graph, ports, outs);
}

/** Expressions by their names, to be spread into outputs: `...named(gradients(loss, [w, b]))` gives `w` and `b`. Nameless ones are `output0`, ... */
export function named(expressions: readonly Expression[]): Record<string, Expression> {
  return Object.fromEntries(expressions.map((x, i) => [x.name ?? `output${i}`, x]));
}
