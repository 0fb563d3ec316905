// Reads a graph node by node into expressions. Names must be defined before they are used and once only, so there are no cycles.
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from "onnx-buf";
import { GraphError } from "../../error.js";
import type { Node } from "../../expression.js";
import { tensor } from "../../leaf.js";
import { Attributes } from "./attribute.js";
import { Call } from "./call.js";
import { dimensionArithmetic } from "./dims.js";
import { byHand } from "./operators.js";
import { operatorOf } from "./parse.js";
import { readRow, rowsOf } from "./row.js";
import { arityOf } from "./schema.js";
import { readTensor } from "./tensor.js";
import { Value } from "./value.js";

/** The values of one graph by name; those of the graphs around it are seen from inside. */
class Scope {
  private readonly values = new Map<string, Value>();
  constructor(private readonly outer?: Scope) {}

  find(name: string): Value | undefined {
    return this.values.get(name) ?? this.outer?.find(name);
  }

  define(name: string, value: Value): void {
    if (this.find(name)) throw new GraphError(`the name "${name}" is given twice`, "bad_model");
    this.values.set(name, value);
  }
}

export interface ReaderOptions {
  readonly opset: number;
  /** Elements of constants at most, those that come of reading (ranges) among them. */
  readonly elements: number;
  /** Throws where a value is not of the type that the model declares. */
  readonly expect: (info: ValueInfoProto, value: Value) => void;
  /** Operators that may be read, those of each round of a Loop counted. */
  readonly operators: number;
  /** Sees the outputs of each node as they are read. */
  readonly onNode?: (call: Call, outputs: readonly Value[]) => void;
}

/** Whether the reader knows an ONNX operator. */
export function knows(operator: string): boolean {
  return byHand.has(operator) || dimensionArithmetic.has(operator) || rowsOf(operator).length > 0;
}

export class Reader {
  /** Values of initializers, by name. */
  readonly parameters = new Map<string, Value>();
  private readonly seen = new Set<Node>();
  private readonly tensors = new Map<TensorProto, Value>();
  private readonly attributes = new Map<NodeProto, Attributes>();
  private read = 0;
  private elements = 0;

  constructor(private readonly options: ReaderOptions) {}

  /** The values of a graph's outputs, its inputs being given by name. */
  graph(graph: GraphProto, given: ReadonlyMap<string, Value>): readonly Value[] {
    return this.inside(graph, given, undefined);
  }

  private inside(
    graph: GraphProto,
    given: ReadonlyMap<string, Value>,
    outer: Scope | undefined,
  ): readonly Value[] {
    this.count();
    const scope = new Scope(outer);
    if (graph.sparseInitializer.length > 0)
      throw new GraphError(
        "the model holds sparse initializers, which are not read; save it with dense ones",
        "unsupported",
      );
    for (const [name, value] of given) scope.define(name, value);
    for (const proto of graph.initializer) {
      if (proto.name === "") throw new GraphError("an initializer has no name", "bad_model");
      if (given.has(proto.name)) continue;
      const value = this.initializer(proto);
      scope.define(proto.name, value);
      if (!outer) this.parameters.set(proto.name, value);
    }
    for (const node of graph.node) this.node(node, scope);
    for (const info of [...graph.input, ...graph.valueInfo]) {
      const value = scope.find(info.name);
      if (value) this.options.expect(info, value);
    }
    return graph.output.map((info) => {
      const value = scope.find(info.name);
      if (!value) throw new GraphError(`nothing computes the output "${info.name}"`, "bad_model");
      this.options.expect(info, value);
      return value;
    });
  }

  /** The same value each time a graph is read, as the body of a Loop is. */
  private initializer(proto: TensorProto): Value {
    const known = this.tensors.get(proto);
    if (known) return known;
    const what = `the initializer "${proto.name}"`;
    const value = Value.of(tensor(readTensor(proto, what), { name: proto.name }));
    this.tensors.set(proto, value);
    return value;
  }

  private node(node: NodeProto, scope: Scope): void {
    this.count();
    try {
      const call = this.call(node, scope);
      const outputs = this.outputs(call);
      this.account(outputs);
      this.options.onNode?.(call, outputs);
      node.output.forEach((name, i) => {
        if (name !== "")
          scope.define(name, outputs[i] ?? refuse(`it has no output ${i}; ${outputs.length} are known`));
      });
    } catch (cause) {
      throw located(node, cause);
    }
  }

  /** One more operator, or one more round of a loop. */
  private count(more = 1): void {
    this.read += more;
    if (this.read > this.options.operators)
      throw new GraphError(
        `the model has more than ${this.options.operators} operators, those of each round of its loops counted`,
        "limit",
      );
  }

  /** Counts what reading a node has made: an operator may become many, and bring constants that are not in the model. */
  private account(outputs: readonly Value[]): void {
    const made = outputs.flatMap((value) => (value.isShape ? [] : value.expression.node));
    let fresh = 0;
    for (let node = made.pop(); node; node = made.pop()) {
      if (this.seen.has(node)) continue;
      this.seen.add(node);
      made.push(...node.inputs.map((x) => x.node));
      fresh++;
      this.elements += node.source?.value?.size ?? 0;
    }
    this.count(Math.max(0, fresh - 1));
    if (this.elements > this.options.elements)
      throw new GraphError(
        `the model makes constants of more than ${this.options.elements} elements`,
        "limit",
      );
  }

  private call(node: NodeProto, scope: Scope): Call {
    if (node.overload !== "")
      refuse(`it is the overload "${node.overload}" of a function, and there are none`);
    if (!knows(operatorOf(node))) refuse("the catalogue has no such operator", "unsupported");
    const inputs = node.input.map((name) =>
      name === "" ? undefined : (scope.find(name) ?? refuse(`its input "${name}" is not defined before it`)),
    );
    while (inputs.length > 0 && inputs.at(-1) === undefined) inputs.pop();
    const arity = arityOf(operatorOf(node));
    if (arity && (inputs.length < arity.least || inputs.length > arity.most))
      refuse(
        `it has ${inputs.length} inputs; ONNX's ${node.opType} has ${arity.least === arity.most ? arity.least : `${arity.least} to ${arity.most}`}`,
      );
    if (arity && node.output.length > arity.outputs)
      refuse(`it has ${node.output.length} outputs; ONNX's ${node.opType} has ${arity.outputs}`);
    const readGraph = (graph: GraphProto, given: readonly Value[]): readonly Value[] => {
      if (graph.input.length !== given.length)
        refuse(`its subgraph has ${graph.input.length} inputs and is given ${given.length}`);
      return this.inside(graph, new Map(graph.input.map(({ name }, i) => [name, given[i]!])), scope);
    };
    return new Call(node, this.attributesOf(node), inputs, this.options.opset, readGraph);
  }

  private attributesOf(node: NodeProto): Attributes {
    const attributes = this.attributes.get(node) ?? new Attributes(node);
    this.attributes.set(node, attributes);
    return attributes;
  }

  private outputs(call: Call): readonly Value[] {
    const dims = dimensionArithmetic.get(call.operator)?.(call);
    if (dims) return [Value.ofDims(dims)];
    const outputs = byHand.get(call.operator)?.(call) ?? readRow(call);
    return outputs.map((x) => (x instanceof Value ? x : Value.of(x)));
  }
}

function refuse(message: string, code: GraphError["code"] = "bad_model"): never {
  throw new GraphError(message, code);
}

/** An error with the node it arose in. What is no GraphError came from a rule that took its inputs to fit: the model's fault too. */
function located(node: NodeProto, cause: unknown): GraphError {
  const where = `${operatorOf(node)}${node.name === "" ? "" : ` "${node.name}"`}${node.output[0] === undefined ? "" : ` (which makes "${node.output[0]}")`}`;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof GraphError && cause.code !== "bad_argument" ? cause.code : "bad_model";
  return new GraphError(`${where}: ${message}`, code, { cause });
}
