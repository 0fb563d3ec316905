// A program as tasks for several nodes: large operators in pieces, the rest in groups, chosen by what they are thought to take. Runs nothing.
import { DTYPES, Tensor } from "../tensor/index.js";
import { costOf, withBounds, type Cost } from "./cost.js";
import type { Binding } from "./dim.js";
import type { Expression, Node } from "./expression.js";
import { bindGraph } from "./plan/bind.js";
import { estimate, type Estimate } from "./plan/estimate.js";
import { Fleet, type Capacity } from "./plan/fleet.js";
import { group, type Group } from "./plan/group.js";
import { split, type Split } from "./plan/split.js";
import { toTasks, type InputSource, type PlannedTask, type Source, type Wiring } from "./plan/task.js";
import { count } from "./nd.js";
import type { Program } from "./program.js";

export type { Capacity, NodeCapacity } from "./plan/fleet.js";
export type { Source } from "./plan/task.js";

export interface PlanOptions {
  /** What each symbol stands for, by the user's name: `{ batch: 64 }`. */
  readonly lengths?: Binding;
}

/** One task: a program, and where its inputs come from. */
export interface Task extends PlannedTask {
  readonly cost: Cost;
  /** The node it was cut for, by its place in `capacity.nodes`; undefined: any. */
  readonly node: number | undefined;
  /** The tasks whose outputs it reads, and how many bytes. */
  readonly needs: readonly { readonly task: number; readonly bytes: number }[];
}

export interface Plan {
  /** What it is a plan of. */
  readonly program: Program;
  /** Each after those that it needs. */
  readonly tasks: readonly Task[];
  /** The program's outputs, by name. */
  readonly outputs: Readonly<Record<string, Source>>;
  readonly cost: {
    /** Of all tasks together. */
    readonly flops: number;
    readonly bytes: number;
    /** Bytes that go from node to node and from the client to nodes, as far as can be told. */
    readonly moved: number;
    /** Seconds from start to end, as far as can be told; and those of the whole program on the fastest node. */
    readonly seconds: number;
    readonly alone: number;
  };
}

/** A plan that takes no more than this many times the least possible is not worth another try. */
const NEAR = 1.1;

/** One way to cut a graph. */
interface Draft {
  readonly outputs: readonly Expression[];
  readonly groups: readonly Group[];
  readonly parts: Split["parts"];
  readonly estimate: Estimate;
}

/**
 * Cuts `p` for the nodes of `capacity`. Several ways are tried (whole; in groups; large operators in pieces for all or half of the
 * nodes, with more or less hope of what follows), and the one that is thought to end first is taken. Throws a GraphError where a length is missing.
 */
export function plan(p: Program, capacity: Capacity, { lengths = {} }: PlanOptions = {}): Plan {
  const fleet = new Fleet(capacity);
  const own = Object.fromEntries(
    Object.entries(lengths).map(([name, value]) => [p.graph.symbols.get(name) ?? name, value]),
  );
  const graph = bindGraph(p.graph, own);
  const all = withBounds(p.graph.nodes, own);
  const draft = ({ outputs, lanes, parts }: Split, on: Fleet): Draft => {
    const groups = group(outputs, lanes, on, all);
    return { outputs, groups, parts, estimate: estimate(groups, fleet) };
  };
  const uncut: Split = { outputs: graph.outputs, lanes: new Map(), parts: new Map() };
  const alone = new Fleet({ ...capacity, nodes: fleet.nodes.slice(0, 1) });
  const whole = draft(uncut, alone);
  let best = whole;
  if (fleet.nodes.length > 1 && whole.estimate.seconds > 2 * capacity.roundTrip) {
    const consider = (each: Draft): void => {
      if (each.estimate.seconds < best.estimate.seconds) best = each;
    };
    consider(draft(uncut, fleet));
    const ideal = fleet.sharedSeconds(costOf(p.graph.nodes, all), fleet.nodes.length);
    for (const lanes of new Set([fleet.nodes.length, Math.max(2, fleet.nodes.length >> 1)])) {
      if (best.estimate.seconds < NEAR * ideal) break;
      for (const eager of [false, true]) {
        const cut = split(graph.outputs, fleet, { lanes, eager }, all);
        if (cut.lanes.size > 0) consider(draft(cut, fleet));
      }
    }
  }
  const names = new Map<Node, InputSource>(
    graph.inputs.map((node, i) => [node, { kind: "input", name: p.inputs[i]!.name }]),
  );
  for (const [node, { of, axis, from, to }] of best.parts)
    names.set(node, { kind: "input", name: names.get(of)!.name, part: { axis, from, to } });
  const { tasks, outputs } = (best === whole && asItIs(p)) || toTasks(best.groups, best.outputs, names);
  const total = best.groups.reduce<Cost>(
    (sum, { cost }) => ({ flops: sum.flops + cost.flops, bytes: sum.bytes + cost.bytes }),
    { flops: 0, bytes: 0 },
  );
  return {
    program: p,
    tasks: tasks.map((task, i): Task => {
      const { cost, lane, needs } = best.groups[i]!;
      return {
        ...task,
        cost,
        node: lane === undefined ? undefined : fleet.places[lane],
        needs: needs.map(({ from, bytes }) => ({ task: from, bytes })),
      };
    }),
    outputs: Object.fromEntries(p.outputs.map(({ name }, i) => [name, outputs[i]!])),
    cost: {
      ...total,
      moved: best.estimate.moved,
      seconds: best.estimate.seconds,
      alone: whole.estimate.seconds,
    },
  };
}

/** The program as the one task that it is already; undefined where it must be written anew. */
function asItIs(p: Program): Wiring | undefined {
  if (p.graph.symbols.size > 0 || p.graph.outputs.some((x) => x.node.row.kind === "source")) return undefined;
  return {
    tasks: [{ program: p, inputs: p.inputs.map(({ name }): Source => ({ kind: "input", name })) }],
    outputs: p.outputs.map((_, output): Source => ({ kind: "task", task: 0, output })),
  };
}

/** Runs a plan's tasks one after another by `run`: what a client does with nodes, for those who have none. */
export async function runPlan(
  { program: whole, tasks, outputs }: Plan,
  inputs: Readonly<Record<string, Tensor>>,
  run: (program: Program, values: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const feeds = whole.feeds(inputs);
  const slots = new Map(whole.inputs.map(({ name, slot }) => [name, slot]));
  const results: (readonly Tensor[])[] = [];
  const value = (source: Source): Tensor => {
    if (source.kind === "constant") return source.value;
    if (source.kind === "task") return results[source.task]![source.output]!;
    const given = feeds[slots.get(source.name)!]!;
    return source.part ? partOf(given, source.part) : given;
  };
  for (const { program, inputs: sources } of tasks) {
    const given = Object.fromEntries(program.inputs.map(({ name }, i) => [name, value(sources[i]!)]));
    const got = await run(program, given);
    results.push(program.outputs.map(({ name }) => got[name]!));
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, source]) => [name, value(source)]));
}

/** The part of an input that a task is given. */
export function partOf(
  { dtype, shape, data }: Tensor,
  { axis, from, to }: NonNullable<InputSource["part"]>,
): Tensor {
  const outer = count(shape.slice(0, axis));
  const inner = count(shape.slice(axis + 1));
  const length = (to - from) * inner;
  const bytes = new Uint8Array(outer * length * DTYPES[dtype].bytes);
  const all = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const size = DTYPES[dtype].bytes;
  for (let i = 0; i < outer; i++) {
    const start = (i * shape[axis]! + from) * inner * size;
    bytes.set(all.subarray(start, start + length * size), i * length * size);
  }
  return new Tensor(dtype, shape.with(axis, to - from), new DTYPES[dtype].array(bytes.buffer));
}
