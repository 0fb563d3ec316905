// A model from ONNX as expressions: to run, differentiate, split and save again. Operators it does not know leave it whole, for an engine.
import type { GraphProto, ValueInfoProto } from "onnx-buf";
import type { Shape } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { input } from "../leaf.js";
import { toExpression, type Operand } from "../operand.js";
import { printType, type Type } from "../shape.js";
import { declared, inputNames, Renaming } from "./load/declared.js";
import { operatorOf, parseModel, type Parsed } from "./load/parse.js";
import { knows, Reader, type ReaderOptions } from "./load/reader.js";
import { dtypeOf } from "./load/tensor.js";
import { Value } from "./load/value.js";

/** Elements of constants that reading may make beside those in the file. */
const MADE = 2 ** 22;

type Expressions = Readonly<Record<string, Expression>>;

export interface LoadOptions {
  /** Lengths for symbols of the model's inputs: they become numbers. */
  readonly lengths?: Readonly<Record<string, number>>;
  /** Operators read at most, those of each round of a Loop counted. */
  readonly operators?: number;
}

/** A model as it was loaded. */
export class Model {
  private read: { inputs: Expressions; outputs: Expressions; parameters: Expressions } | undefined;

  constructor(
    /** The bytes it was loaded from: what an engine runs whole. */
    readonly bytes: Uint8Array,
    private readonly parsed: Parsed,
    private readonly options: LoadOptions,
  ) {}

  /** The operators in it that the catalogue does not have: while there are any, it runs whole on an engine, and only so. */
  get unknown(): readonly string[] {
    return unknownOperators(this.parsed.graph);
  }

  get inputNames(): readonly string[] {
    return inputNames(this.parsed.graph);
  }

  get outputNames(): readonly string[] {
    return this.parsed.graph.output.map(({ name }) => name);
  }

  /** What is given at each run, by name. */
  get inputs(): Expressions {
    return this.expressions.inputs;
  }

  get outputs(): Expressions {
    return this.expressions.outputs;
  }

  /** The values inside it (weights), by name: to differentiate by, to train, or to give as inputs of a program. */
  get parameters(): Expressions {
    return this.expressions.parameters;
  }

  /** The model as a function: its outputs for other inputs than its own. Throws a GraphError where they do not fit. */
  call(inputs: Readonly<Record<string, Operand>>): Expressions {
    const unknown = Object.keys(inputs).find((name) => !this.inputNames.includes(name));
    if (unknown !== undefined)
      throw new GraphError(
        `the model has no input "${unknown}"; it has ${this.inputNames.join(", ") || "none"}`,
      );
    return this.build((name, type) => {
      const given = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (given === undefined)
        throw new GraphError(`the model's input "${name}" is not given; it wants ${printType(type)}`);
      const x = toExpression(`the input ${name}`, given, type.dtype);
      if (x.dtype !== type.dtype || !fits(type.shape, x.shape))
        throw new GraphError(
          `the model's input "${name}" wants ${printType(type)}, got ${printType(x.type)}`,
        );
      return x;
    }).outputs;
  }

  private get expressions(): { inputs: Expressions; outputs: Expressions; parameters: Expressions } {
    return (this.read ??= this.build((name, { dtype, shape }) => input(name, dtype, shape)));
  }

  private build(source: (name: string, type: Type) => Expression): {
    inputs: Expressions;
    outputs: Expressions;
    parameters: Expressions;
  } {
    const { unknown } = this;
    if (unknown.length > 0)
      throw new GraphError(
        `the catalogue does not have ${unknown.join(", ")}: the model runs whole on an engine (model.bytes), and does not differentiate or split`,
        "unsupported",
      );
    return readModel(this.parsed, source, this.options);
  }
}

/** A model from its bytes. Throws a GraphError where they are none, or of an operator set that is not read. */
export function load(bytes: Uint8Array, options: LoadOptions = {}): Model {
  return new Model(bytes, parseModel(bytes), options);
}

/** Reads all of a model; `source` makes its inputs. */
export function readModel(
  { graph, opset, size }: Parsed,
  source: (name: string, type: Type) => Expression,
  { lengths = {}, operators = 1e6, onNode }: LoadOptions & Pick<ReaderOptions, "onNode">,
): { inputs: Expressions; outputs: Expressions; parameters: Expressions } {
  const renaming = new Renaming(graph, lengths);
  const names = new Set(inputNames(graph));
  const inputs = new Map<string, Expression>();
  for (const info of graph.input)
    if (names.has(info.name)) {
      if (info.name === "") throw new GraphError("an input of the model has no name", "bad_model");
      if (inputs.has(info.name)) throw new GraphError(`two inputs are called "${info.name}"`, "bad_model");
      inputs.set(info.name, source(info.name, renaming.type(info)));
    }
  const reader = new Reader({
    opset,
    operators,
    elements: size + MADE,
    expect: (info, value) => {
      expectDeclared(info, renaming, value);
    },
    ...(onNode && { onNode }),
  });
  const values = reader.graph(graph, new Map([...inputs].map(([name, x]) => [name, Value.of(x)])));
  const outputs = new Map<string, Expression>();
  graph.output.forEach(({ name }, i) => {
    if (outputs.has(name)) throw new GraphError(`two outputs are called "${name}"`, "bad_model");
    outputs.set(name, values[i]!.expression);
  });
  return {
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(outputs),
    parameters: Object.fromEntries([...reader.parameters].map(([name, value]) => [name, value.expression])),
  };
}

/** What a model says of a value must be so, as far as it is said in numbers. */
function expectDeclared(info: ValueInfoProto, renaming: Renaming, value: Value): void {
  const said = declared(info);
  if (!said || (said.elemType === 0 && !said.shape)) return;
  const { dtype, shape } = value.type;
  const wanted = dtypeOf(said.elemType, `"${info.name}"`);
  const dims = said.shape && renaming.type(info).shape;
  if (wanted !== dtype || (dims && !agrees(dims, shape)))
    throw new GraphError(
      `the model says that "${info.name}" is ${printType({ dtype: wanted, shape: dims ?? ["..."] })}; it is ${printType(value.type)}`,
      "bad_model",
    );
}

function agrees(said: Shape, is: Shape): boolean {
  return (
    said.length === is.length &&
    said.every((dim, i) => typeof dim !== "number" || typeof is[i] !== "number" || dim === is[i])
  );
}

/** A symbol takes any length, the same each time. */
function fits(wanted: Shape, given: Shape): boolean {
  const lengths = new Map<string, Shape[number]>();
  return (
    wanted.length === given.length &&
    wanted.every((dim, i) => {
      if (typeof dim === "number") return dim === given[i];
      const known = lengths.get(dim) ?? given[i]!;
      lengths.set(dim, known);
      return known === given[i];
    })
  );
}

/** The operators of a graph, and of those in it, that cannot be read. */
export function unknownOperators(graph: GraphProto): readonly string[] {
  return [...new Set(operatorsOf(graph))].filter((operator) => !knows(operator)).sort();
}

function* operatorsOf(graph: GraphProto): Generator<string> {
  for (const node of graph.node) {
    yield operatorOf(node);
    for (const { g } of node.attribute) if (g) yield* operatorsOf(g);
  }
}
