// Groups as programs: what crosses from group to group becomes their inputs and outputs. Equal groups are one program.
import { Expression, Node } from "../expression.js";
import { program, type Port, type Program } from "../program.js";
import { printType } from "../shape.js";
import { inputRow } from "../source.js";
import { freshSymbols, symbolsOfAttrs } from "../walk.js";
import { encodeTensor, type Tensor } from "../../tensor/index.js";
import type { Group } from "./group.js";

/** Where a value comes from: the plan's input of that name or a part of it, an output of an earlier task, or a constant. */
export type Source =
  | InputSource
  | { readonly kind: "task"; readonly task: number; readonly output: number }
  | { readonly kind: "constant"; readonly value: Tensor };

export interface InputSource {
  readonly kind: "input";
  readonly name: string;
  /** Only the elements from `from` up to `to` along an axis. */
  readonly part?: { readonly axis: number; readonly from: number; readonly to: number };
}

export interface PlannedTask {
  readonly program: Program;
  /** For each of the program's inputs, in its order. */
  readonly inputs: readonly Source[];
}

export interface Wiring {
  readonly tasks: readonly PlannedTask[];
  /** For each of the plan's outputs. */
  readonly outputs: readonly Source[];
}

/** The programs of `groups`. `names`: the plan's inputs, by the node of the graph. */
export function toTasks(
  groups: readonly Group[],
  outputs: readonly Expression[],
  names: ReadonlyMap<Node, InputSource>,
): Wiring {
  const home = new Map<Node, number>();
  const makers = new Map<string, Expression>();
  groups.forEach(({ nodes }, at) => {
    for (const node of nodes) {
      home.set(node, at);
      for (const symbol of freshSymbols(node)) {
        const i = node.types.findIndex(({ shape }) => shape.includes(symbol));
        makers.set(symbol, new Expression(node, i));
      }
    }
  });
  const crossing = crossings(groups, outputs, home, makers);
  const sourceOf = (x: Expression): Source => {
    const at = home.get(x.node)!;
    return names.get(x.node) ?? { kind: "task", task: at, output: crossing[at]!.get(x.node)!.get(x.index)! };
  };
  const programs = new Map<string, Program>();
  const tasks = groups.map((group, at): PlannedTask => {
    const sources = new Map<string, Source>();
    const stand = new Map<string, Expression>();
    const copies = new Map<Node, Node>();
    const from = (x: Expression): Expression => {
      const own = copies.get(x.node);
      if (own) return new Expression(own, x.index);
      const { node } = x;
      if (node.row.kind === "source" && !names.has(node)) return x;
      const source = sourceOf(x);
      const key = JSON.stringify(source);
      let twin = stand.get(key);
      if (!twin) {
        const name = `v${stand.size}`;
        twin = new Expression(new Node(inputRow, [], {}, [x.type], { name }), 0);
        stand.set(key, twin);
        sources.set(name, source);
      }
      return twin;
    };
    for (const node of group.nodes) {
      for (const symbol of lengthsOf(node)) {
        const maker = makers.get(symbol);
        if (maker && home.get(maker.node) !== at) from(maker);
      }
      copies.set(node, new Node(node.row, node.inputs.map(from), node.attrs, node.types, undefined, node));
    }
    const outs: [string, Expression][] = [];
    for (const [node, slots] of crossing[at]!)
      for (const [index, slot] of slots) outs[slot] = [`y${slot}`, new Expression(copies.get(node)!, index)];
    // The pieces of one operator for nodes of one speed are equal: what is written and hashed once need not be again.
    const text = textOf([...copies.values()], [...stand.values()], outs);
    const built =
      programs.get(text) ??
      program({
        inputs: Object.fromEntries([...stand.values()].map((x) => [x.name!, x])),
        outputs: Object.fromEntries(outs),
      });
    programs.set(text, built);
    return {
      program: built,
      inputs: built.inputs.map(
        ({ name, initial }: Port): Source => sources.get(name) ?? { kind: "constant", value: initial! },
      ),
    };
  });
  return {
    tasks,
    outputs: outputs.map((x): Source => {
      const input = names.get(x.node);
      if (input) return input;
      const at = home.get(x.node);
      if (at === undefined) {
        if (x.node.source?.value) return { kind: "constant", value: x.node.source.value };
        throw new Error(`plan: ${printType(x.type)} is an output that no task makes`);
      }
      return { kind: "task", task: at, output: crossing[at]!.get(x.node)!.get(x.index)! };
    }),
  };
}

/** All that a program is made of, as text: equal texts are equal programs. */
function textOf(
  nodes: readonly Node[],
  inputs: readonly Expression[],
  outputs: readonly (readonly [string, Expression])[],
): string {
  const ids = new Map<Node, number>();
  const lines = inputs.map((x) => `${ids.set(x.node, ids.size).size} ${printType(x.type)}`);
  const refer = (x: Expression): string => {
    const id = ids.get(x.node);
    if (id !== undefined) return `${id}.${x.index}`;
    const { row, attrs, source } = x.node;
    return source?.value ? encodeTensor(source.value).join() : `${row.name}${JSON.stringify(attrs)}`;
  };
  for (const node of nodes) {
    lines.push(`${node.row.name} ${node.inputs.map(refer).join(" ")} ${JSON.stringify(node.attrs)}`);
    ids.set(node, ids.size);
  }
  return [...lines, ...outputs.map(([name, x]) => `${name} ${refer(x)}`)].join("\n");
}

type Slots = Map<Node, Map<number, number>>;

/** The values that each group gives to others or to the user, and their places among its outputs. */
function crossings(
  groups: readonly Group[],
  outputs: readonly Expression[],
  home: ReadonlyMap<Node, number>,
  makers: ReadonlyMap<string, Expression>,
): readonly Slots[] {
  const all = groups.map((): Slots => new Map());
  const counts = groups.map(() => 0);
  const cross = (x: Expression): void => {
    const at = home.get(x.node)!;
    const slots = all[at]!.get(x.node) ?? new Map<number, number>();
    all[at]!.set(x.node, slots);
    if (!slots.has(x.index)) slots.set(x.index, counts[at]!++);
  };
  groups.forEach(({ nodes }, at) => {
    for (const node of nodes) {
      const lengths = lengthsOf(node).flatMap((symbol) => makers.get(symbol) ?? []);
      for (const x of [...node.inputs, ...lengths]) if (home.has(x.node) && home.get(x.node) !== at) cross(x);
    }
  });
  for (const x of outputs) if (home.has(x.node)) cross(x);
  return all;
}

/** The symbols whose values must be known where this node runs. */
function lengthsOf(node: Node): string[] {
  return [node, ...node.inputs.map((x) => x.node).filter(({ row }) => row.kind === "source")].flatMap(
    symbolsOfAttrs,
  );
}
