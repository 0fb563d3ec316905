// Whether a model may run here: known operators only, shapes known before it runs and within limits, all of it in the file. Says why not.
import { DTYPES } from "../tensor/index.js";
import { DEFAULT_LIMITS, LimitError, type Limits } from "./check/limits.js";
import { peakMemory } from "./check/memory.js";
import { weigh } from "./check/weigh.js";
import { bindType, costOf, withBounds } from "./cost.js";
import { symbolsOf, type Binding } from "./dim.js";
import { GraphError } from "./error.js";
import { Expression, type Node } from "./expression.js";
import { input } from "./leaf.js";
import { readModel, unknownOperators } from "./onnx/load.js";
import { ModelSchema } from "./onnx/messages.js";
import { parseModel } from "./onnx/load/parse.js";
import { checkFeed } from "./interpreter.js";
import { printType, type Type } from "./shape.js";
import { inRunOrder } from "./walk.js";

export { DEFAULT_LIMITS, LimitError, type Limits } from "./check/limits.js";

/** A model that may run, while its symbols stand for lengths that keep it within the limits. */
export class Checked {
  constructor(
    readonly inputs: Readonly<Record<string, Expression>>,
    readonly outputs: Readonly<Record<string, Expression>>,
    /** Every operator, those that no output needs among them. */
    private readonly nodes: readonly Node[],
    private readonly limits: Limits,
  ) {}

  /**
   * What the symbols stand for. Throws a GraphError unless values of these types fit the inputs, and a run on them stays within the
   * limits.
   */
  accept(given: Readonly<Record<string, Type>>): Binding {
    const binding: Record<string, number> = {};
    for (const name of Object.keys(given))
      if (!Object.hasOwn(this.inputs, name))
        throw new GraphError(
          `the model has no input "${name}"; it has ${Object.keys(this.inputs).join(", ") || "none"}`,
        );
    for (const [name, x] of Object.entries(this.inputs)) {
      if (!Object.hasOwn(given, name))
        throw new GraphError(`the model's input "${name}" is not given; it wants ${printType(x.type)}`);
      checkFeed(name, x.type, given[name]!, binding);
    }
    this.expectFit(binding);
    return binding;
  }

  /** What one run takes, symbols standing for these lengths. */
  cost(lengths: Binding = {}): { readonly flops: number; readonly memory: number } {
    return {
      flops: costOf(this.nodes, lengths).flops,
      memory: peakMemory(this.nodes, Object.values(this.outputs), lengths),
    };
  }

  /** Throws a GraphError where a run with these lengths is past a limit. */
  expectFit(lengths: Binding): void {
    expectLengths(this.nodes, lengths);
    this.expectWithin(lengths);
  }

  /** As far as the limits go. */
  expectWithin(lengths: Binding): void {
    const { flops, memory } = this.cost(lengths);
    const at =
      Object.keys(lengths).length > 0
        ? `, for ${Object.entries(lengths)
            .map(([name, n]) => `${name} = ${n}`)
            .join(", ")}`
        : "";
    expectWithin("memory", memory, this.limits.memory, (n) => `the model needs ${bytes(n)} at once${at}`);
    expectWithin(
      "flops",
      flops,
      this.limits.flops,
      (n) => `the model takes ${n.toPrecision(3)} floating-point operations${at}`,
    );
  }
}

/**
 * Throws a GraphError that says why, unless the model is one that may run: its file whole, its operators known, its names in order,
 * its shapes known before it runs, its loops of constant length, and all of it within the limits even for the shortest inputs.
 */
export function check(model: Uint8Array, limits: Partial<Limits> = {}): Checked {
  const all: Limits = { ...DEFAULT_LIMITS, ...limits };
  expectWithin("modelBytes", model.length, all.modelBytes, (n) => `the model has ${n} bytes`);
  weigh(model, ModelSchema, all.decoded);
  const parsed = parseModel(model);
  const ports = parsed.graph.input.length + parsed.graph.output.length;
  expectWithin("ports", ports, all.ports, (n) => `the model has ${n} inputs and outputs`);
  // Those of branches that are never taken, too: an engine wants to know them all.
  const unknown = unknownOperators(parsed.graph);
  if (unknown.length > 0)
    throw new GraphError(
      `the catalogue does not have ${unknown.join(", ")}; only known operators run`,
      "unsupported",
    );
  const made = new Set<Expression>();
  const { inputs, outputs } = readModel(parsed, (name, { dtype, shape }) => input(name, dtype, shape), {
    operators: all.operators,
    onNode: (_, values) => {
      for (const value of values) {
        if (value.isShape) continue;
        expectType(value.expression.type, all);
        made.add(value.expression);
      }
    },
  });
  const roots = [...Object.values(inputs), ...made, ...Object.values(outputs)];
  const nodes = inRunOrder(roots);
  const checked = new Checked(inputs, outputs, nodes, all);
  for (const node of nodes) for (const type of node.types) expectType(type, all);
  checked.expectWithin(shortest(nodes));
  return checked;
}

/** Every symbol of an input at 1: what is too large then is so for every length but none. */
function shortest(nodes: readonly Node[]): Binding {
  const symbols = nodes.flatMap(({ row, types }) =>
    row.kind === "source" ? types.flatMap(({ shape }) => shape.flatMap(symbolsOf)) : [],
  );
  return Object.fromEntries(symbols.map((symbol) => [symbol, 1]));
}

/** As far as it can be said while symbols stand. */
function expectType(type: Type, { rank, memory }: Limits): void {
  expectWithin("rank", type.shape.length, rank, (n) => `${printType(type)} has ${n} axes`);
  const known = type.shape.reduce<number>(
    (size, dim) => (typeof dim === "number" ? size * dim : size),
    DTYPES[type.dtype].bytes,
  );
  expectWithin("memory", known, memory, (n) => `${printType(type)} takes ${bytes(n)}`);
}

function expectLengths(nodes: readonly Node[], lengths: Binding): void {
  const binding = withBounds(nodes, lengths);
  for (const { types } of nodes)
    for (const type of types) {
      const bound = bindType(type, binding);
      if ((bound.shape as readonly number[]).every((dim) => dim >= 0)) continue;
      throw new GraphError(
        `${printType(type)} is ${printType(bound)} for these inputs; a dimension is 0 or more`,
      );
    }
}

/** Not a number counts as too many. */
function expectWithin(
  name: keyof Limits,
  value: number,
  limit: number,
  what: (value: number) => string,
): void {
  if (value <= limit) return;
  throw new LimitError(
    `${what(value)}; the limit "${name}" is ${name === "memory" ? bytes(limit) : limit}`,
    name,
  );
}

function bytes(n: number): string {
  if (n < 2 ** 20) return `${n} bytes`;
  const unit =
    n >= 2 ** 40
      ? ([2 ** 40, "TiB"] as const)
      : n >= 2 ** 30
        ? ([2 ** 30, "GiB"] as const)
        : ([2 ** 20, "MiB"] as const);
  return `${(n / unit[0]).toPrecision(3)} ${unit[1]}`;
}
