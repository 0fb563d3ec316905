// What a timeline draws: rows, the tasks that ended in them, and those that run. One for the hub's nodes, one for a graph.
import type { Board } from "./board.js";
import { TaskRing } from "./task-ring.js";
import type { GroupRow } from "./update.js";

export interface TimelineRow {
  readonly number: number;
  readonly id: string;
}

/** A task that has not ended, in a row's lane, with the number of its colour. */
export interface RunningBar {
  readonly row: number;
  readonly lane: number;
  readonly hue: number;
  readonly since: number;
}

/** `to` undefined: up to now, whatever now is. */
export interface Sight {
  readonly from: number;
  readonly to: number | undefined;
}

export interface TimelineSource {
  /** Ended; `node` is a row's number, `service` the number of its colour. */
  readonly tasks: TaskRing;
  /** Goes up when rows may have changed. */
  readonly version: number;
  /** Of the hub: milliseconds since 1970. */
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  clock(): number;
  rows(): TimelineRow[];
  running(): Iterable<RunningBar>;
  /** What a task is called whose colour has this number. */
  called(hue: number): string;
  /** What is to be seen at first; undefined: what is new. */
  first(): Sight | undefined;
}

export class BoardSource implements TimelineSource {
  /** `only`: the number of the one node it is about. */
  constructor(
    private readonly board: Board,
    private readonly only?: number,
  ) {}

  get tasks(): TaskRing {
    return this.board.tasks;
  }

  get version(): number {
    return this.board.version >> 3;
  }

  get epoch(): number {
    return this.board.hub.epoch;
  }

  clock(): number {
    return this.board.clock(performance.now());
  }

  rows(): TimelineRow[] {
    return [...this.board.nodes.values()].filter(
      ({ number, state }) => this.only === number || (this.only === undefined && state === "running"),
    );
  }

  *running(): Iterable<RunningBar> {
    for (const { number, running, doing, slots } of this.board.nodes.values()) {
      if (running === 0) continue;
      const starts = doing.map(({ since }) => since);
      const lanes = this.tasks.lanes.running(number, starts, slots);
      for (const [i, { service, since }] of doing.entries())
        yield {
          row: number,
          lane: lanes[i]!,
          hue: Math.max(0, this.board.services.indexOf(service)),
          since,
        };
    }
  }

  called(hue: number): string {
    return this.board.services[hue] ?? "";
  }

  first(): undefined {
    return undefined;
  }
}

/** As many tasks as a graph's page is told of. */
const MOST_TASKS = 2048;

/** A graph's tasks as they stood when it was last asked for: a row for each node, a colour for each program. */
export class GraphSource implements TimelineSource {
  readonly tasks = new TaskRing(MOST_TASKS);
  version = 0;
  readonly #nodes: string[] = [];
  readonly #programs: string[] = [];
  #groups: readonly GroupRow[] = [];

  constructor(private readonly board: Board) {}

  take(groups: readonly GroupRow[]): void {
    this.#groups = groups;
    this.version++;
    this.tasks.clear();
    const ended = groups
      .filter(({ state, at, node }) => state === "done" && at > 0 && node !== "")
      .sort((a, b) => a.at - b.at);
    this.tasks.add(
      {
        node: ended.map(({ node }) => numberOf(this.#nodes, node)),
        service: ended.map(({ program }) => numberOf(this.#programs, program)),
        end: ended.map(({ at }) => at),
        ms: ended.map(({ ms }) => ms),
        ok: ended.map(() => 1),
        skipped: 0,
      },
      (row) => this.#slotsOf(this.#nodes[row]!),
    );
  }

  get epoch(): number {
    return this.board.hub.epoch;
  }

  clock(): number {
    return this.board.clock(performance.now());
  }

  rows(): TimelineRow[] {
    return this.#nodes.map((id, number) => ({ number, id }));
  }

  *running(): Iterable<RunningBar> {
    const running = this.#groups.filter(({ state, at }) => state === "running" && at > 0);
    for (const node of new Set(running.map((group) => group.node))) {
      const here = running.filter((group) => group.node === node).sort((a, b) => a.at - b.at);
      const row = numberOf(this.#nodes, node);
      const starts = here.map(({ at }) => at);
      const lanes = this.tasks.lanes.running(row, starts, this.#slotsOf(node));
      for (const [i, { program, at }] of here.entries())
        yield { row, lane: lanes[i]!, hue: numberOf(this.#programs, program), since: at };
    }
  }

  called(hue: number): string {
    return `program ${this.#programs[hue] ?? ""}`;
  }

  /** All of it. */
  first(): Sight | undefined {
    const begun = this.#groups.filter(({ at }) => at > 0);
    if (begun.length === 0) return undefined;
    const from = begun.reduce(
      (least, { at, state, ms }) => Math.min(least, state === "done" ? at - ms : at),
      Infinity,
    );
    const over = this.#groups.every(({ state }) => state === "done" || state === "failed");
    return { from, to: over ? begun.reduce((most, { at }) => Math.max(most, at), 0) : undefined };
  }

  /** A node that has left may have had any number. */
  #slotsOf(id: string): number {
    for (const node of this.board.nodes.values()) if (node.id === id) return node.slots;
    return Infinity;
  }
}

function numberOf(names: string[], name: string): number {
  const known = names.indexOf(name);
  return known >= 0 ? known : names.push(name) - 1;
}
