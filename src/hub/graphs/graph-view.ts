// Graphs as /api/graphs, the feed and the dashboard show them.
import type { HubCore } from "../core.js";
import type { Section } from "../events/section.js";
import type { Graph, GraphTask } from "./graph.js";

export interface GraphRow {
  readonly id: string;
  readonly name: string;
  /** The main node that asks; null while none is there. */
  readonly client: string | null;
  readonly domain: string;
  readonly startedAt: string;
  readonly tasks: {
    readonly total: number;
    readonly done: number;
    readonly running: number;
    readonly failed: number;
  };
  /** Of the values that are not released. */
  readonly bytes: number;
}

/** A task as the picture of its graph shows it. `after`: the tasks whose values it takes. */
export interface GroupRow {
  readonly number: number;
  readonly state: "waiting" | "running" | "done" | "failed";
  /** Where it runs, or was computed; "" while nowhere. */
  readonly node: string;
  readonly ms: number;
  /** When it was computed, or began to run: milliseconds since the feed's epoch; 0: neither. */
  readonly at: number;
  /** The first digits of its program's hash: equal programs look alike. */
  readonly program: string;
  readonly flops: number;
  readonly bytes: number;
  readonly after: readonly number[];
}

/** A picture of more would show nothing. */
const MOST_GROUPS = 2000;

export function graphRow(core: HubCore, graph: Graph): GraphRow {
  const { id, session, tasks, total, done, failed, startedAt } = graph;
  let running = 0;
  let bytes = 0;
  for (const task of tasks.values()) {
    if (task.state === "open" && core.scheduler.task(task.task)?.state === "running") running++;
    bytes += bytesOf(task);
  }
  return {
    id,
    name: session.name,
    client: session.peer?.hello?.id ?? null,
    domain: session.domain,
    startedAt: new Date(startedAt).toISOString(),
    tasks: { total, done, running, failed },
    bytes,
  };
}

/** A graph with its latest tasks; `left`: how many more there are; `epoch`: the feed's. */
export function graphPicture(
  core: HubCore,
  graph: Graph,
  epoch: number,
): GraphRow & { groups: GroupRow[]; left: number } {
  const all = [...graph.tasks.values()];
  const since = (at: number): number => (at > 0 ? Math.max(0, Math.round(at - epoch)) : 0);
  const groups = all.slice(-MOST_GROUPS).map((task): GroupRow => {
    const seen = task.state === "open" ? core.scheduler.task(task.task) : undefined;
    const running = seen?.state === "running";
    const after = task.inputs.filter(({ kind }) => kind === "output").map(({ number }) => number);
    return {
      number: task.number,
      state: running ? "running" : task.state === "open" ? "waiting" : task.state,
      node: running ? (seen.nodes[0] ?? "") : task.node,
      ms: task.ms,
      at: since(running ? seen.startedAt : task.endedAt),
      program: task.spec.program.slice(0, 12),
      flops: task.spec.flops,
      bytes: bytesOf(task),
      after: [...new Set(after)],
    };
  });
  return { ...graphRow(core, graph), groups, left: all.length - groups.length };
}

function bytesOf({ values }: GraphTask): number {
  return values.reduce((sum, { bytes }) => sum + Math.max(0, bytes), 0);
}

/** Rows of all graphs, looked at once a second at most: that walks through every task. */
const EVERY_MS = 1000;

export class GraphRows implements Section {
  readonly name = "graphs";
  #told = "";
  #lookedAt = -Infinity;

  constructor(private readonly core: HubCore) {}

  whole(now: number): GraphRow[] {
    this.#told = "";
    this.#lookedAt = -Infinity;
    return this.changes(now) ?? [];
  }

  /** All of them, when anything has changed. */
  changes(now: number): GraphRow[] | undefined {
    if (now - this.#lookedAt < EVERY_MS - 100) return undefined;
    this.#lookedAt = now;
    const rows = [...this.core.graphs.graphs()].map((graph) => graphRow(this.core, graph));
    const text = JSON.stringify(rows);
    if (text === this.#told) return undefined;
    this.#told = text;
    return rows;
  }
}
