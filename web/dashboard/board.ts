// What the dashboard knows: updates of the hub put together, all of bounded size. Pages look at it; nothing here draws.
import { TaskRing } from "./task-ring.js";
import type { Counts, GraphRow, JobSetRow, MishapRow, NodeRow, Update } from "./update.js";

export interface Node extends NodeRow {
  state: string;
  running: number;
  held: number;
  solved: number;
  failed: number;
  speed: number;
  bytesIn: number;
  bytesOut: number;
  quarantinedUntil: number;
  /** [service, since] of what runs, as far as the hub names it. */
  doing: readonly { readonly service: string; readonly since: number }[];
}

export interface JobSet extends JobSetRow {
  submitted: number;
  running: number;
  solved: number;
  unsolved: number;
}

/** Ten minutes of one sample a second. */
const SAMPLES = 600;
const MISHAPS = 200;
const TASKS = 131_072;

export class Board {
  hub = { id: "", software: "", epoch: 0 };
  /** The hub's clock at the last update, and ours: milliseconds since the hub's epoch, and of performance.now(). */
  at = 0;
  heardAt = 0;
  counts: Counts = {};
  readonly services: string[] = [];
  readonly nodes = new Map<number, Node>();
  readonly jobs = new Map<number, JobSet>();
  errors: MishapRow[] = [];
  graphs: readonly GraphRow[] = [];
  readonly tasks = new TaskRing(TASKS);
  columns: readonly string[] = [];
  samples: readonly (readonly (number | null)[])[] = [];
  /** Goes up with each update; `sampled` with each new sample. */
  version = 0;
  sampled = 0;

  take(update: Update, now: number): void {
    if (update.whole) this.#begin(update);
    this.at = update.at;
    this.heardAt = now;
    this.version++;
    if (update.services) this.services.push(...update.services);
    if (update.counts) this.counts = update.counts;
    if (update.nodes) this.#nodes(update.nodes);
    if (update.jobs) this.#jobs(update.jobs);
    if (update.errors) this.#errors(update.errors);
    if (update.tasks) this.tasks.add(update.tasks, (node) => this.nodes.get(node)?.slots ?? 1);
    if (update.graphs) this.graphs = update.graphs;
    if (update.history) {
      this.samples = [...this.samples, ...update.history.samples].slice(-SAMPLES);
      this.columns = update.history.columns ?? this.columns;
      this.sampled++;
    }
  }

  /** The hub's clock now, since its epoch. */
  clock(now: number): number {
    return this.at + (now - this.heardAt);
  }

  #begin(update: Update): void {
    this.hub = update.hub ?? this.hub;
    this.services.length = 0;
    this.nodes.clear();
    this.jobs.clear();
    this.tasks.clear();
    this.errors = [];
    this.samples = [];
    this.graphs = [];
  }

  #nodes({ joined, now, gone }: NonNullable<Update["nodes"]>): void {
    for (const row of joined) this.nodes.set(row.number, { ...row, ...NOTHING });
    for (const row of now) {
      const node = this.nodes.get(row[0] as number);
      if (node === undefined) continue;
      node.state = row[1] as string;
      [node.running, node.held, node.solved, node.failed, node.speed, node.bytesIn, node.bytesOut] =
        row.slice(2, 9) as [number, number, number, number, number, number, number];
      node.quarantinedUntil = row[9] as number;
      const doing: { service: string; since: number }[] = [];
      for (let i = 10; i + 1 < row.length; i += 2)
        doing.push({ service: this.services[row[i] as number] ?? "", since: row[i + 1] as number });
      node.doing = doing;
    }
    for (const number of gone) this.nodes.delete(number);
  }

  #jobs({ sets, now, gone }: NonNullable<Update["jobs"]>): void {
    for (const row of sets) {
      const known = this.jobs.get(row.set);
      this.jobs.set(row.set, { submitted: 0, running: 0, solved: 0, unsolved: 0, ...known, ...row });
    }
    for (const [number, submitted, running, solved, unsolved] of now) {
      const set = this.jobs.get(number!);
      if (set !== undefined) Object.assign(set, { submitted, running, solved, unsolved });
    }
    for (const number of gone) this.jobs.delete(number);
  }

  #errors(rows: readonly MishapRow[]): void {
    const fresh = new Set(rows.map(({ number }) => number));
    this.errors = [...this.errors.filter(({ number }) => !fresh.has(number)), ...rows].slice(-MISHAPS);
  }
}

const NOTHING = {
  state: "unknown",
  running: 0,
  held: 0,
  solved: 0,
  failed: 0,
  speed: 0,
  bytesIn: 0,
  bytesOut: 0,
  quarantinedUntil: 0,
  doing: [],
};
