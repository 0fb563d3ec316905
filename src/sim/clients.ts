// The virtual clients: what they submit, what they know of each task, which values they still hold on to.
import type { Domain, SessionId, TaskId } from "../ids/index.js";
import type { Needs, TaskBatch, ValueRef } from "../scheduler/index.js";
import { FOR, hash, uniform } from "./random.js";
import type { Scenario } from "./scenario.js";
import type { Script } from "./script.js";

export const DOMAIN = "166" as Domain;
const UNKNOWN = 0;
const OPEN = 1;
const SOLVED = 2;
const FAILED = 3;
/** A client lets the values of a batch go when it has submitted this many more. */
const BATCHES_HELD = 2;
const MAX_INPUTS = 3;

const NEEDS: readonly Needs[] = [
  { memoryMb: 4096 },
  { provider: "webgpu" },
  { labels: ["quiet"], memoryMb: 1000 },
];

interface GraphBatch {
  readonly first: number;
  readonly count: number;
}

export class Clients {
  /** Time of the last end of a task. */
  lastOverAt = 0;
  over = 0;
  private readonly scenario: Scenario;
  private readonly seed: number;
  private readonly total: number;
  private readonly state: Uint8Array;
  private readonly submittedAt: Float64Array;
  private readonly client: Uint16Array;
  private readonly held: GraphBatch[][];
  /** Tasks whose values stay at nodes. */
  private readonly graph = new Set<number>();

  constructor({ scenario, seed, events }: Script) {
    this.scenario = scenario;
    this.seed = seed;
    let total = 0;
    let last = 0;
    for (const event of events)
      if (event.kind === "submit") {
        total += event.count;
        last = Math.max(last, event.first + event.count);
      }
    this.total = total;
    this.state = new Uint8Array(last + 1);
    this.submittedAt = new Float64Array(last + 1);
    this.client = new Uint16Array(last + 1);
    this.held = scenario.clients.map(() => []);
  }

  get finished(): boolean {
    return this.over === this.total;
  }

  isOpen(task: number): boolean {
    return this.state[task] === OPEN;
  }

  clientOf(task: number): number {
    return this.client[task]!;
  }

  submit(client: number, first: number, count: number, now: number): TaskBatch<number> {
    const { scenario: s, seed } = this;
    for (let task = first; task < first + count; task++) {
      this.state[task] = OPEN;
      this.submittedAt[task] = now;
      this.client[task] = client;
    }
    const graph = s.graph > 0 && uniform(seed, FOR.inputs, first) < s.graph;
    const inputs = graph ? this.link(client, first, count) : undefined;
    return {
      first: first as TaskId,
      tags: new Array<number>(count).fill(0),
      domain: DOMAIN,
      session: `c${client}` as SessionId,
      service: `s${hash(seed, FOR.place, first) % s.services}`,
      priority: hash(seed, FOR.finality, first) % s.priorities,
      maxAttempts: s.maxAttempts,
      attemptTimeoutMs: s.attemptTimeoutMs,
      deadlineAt:
        s.deadlineMs > 0 && (s.mixed < 1 || hash(seed, FOR.stubborn, first) % 2 === 0)
          ? now + s.deadlineMs
          : Infinity,
      idempotent: s.idempotent && (s.mixed < 1 || hash(seed, FOR.redial, first) % 2 === 0),
      failEarly: s.mixed > 0 && hash(seed, FOR.speed, first) % 2 === 0,
      keep: graph ? "node" : "hub",
      ...(inputs && { inputs }),
      ...(s.needs > 0 && uniform(seed, FOR.lies, first) < s.needs && { needs: NEEDS[first % NEEDS.length]! }),
    };
  }

  /** Milliseconds since it was submitted, when this is its end; -1 when it was over already. */
  end(task: number, solved: boolean, now: number): number {
    if (this.state[task] !== OPEN) return -1;
    this.state[task] = solved ? SOLVED : FAILED;
    this.over++;
    this.lastOverAt = now;
    return now - this.submittedAt[task]!;
  }

  /** The hub has died: graphs are not in its journal, so their tasks and values are gone. */
  hubLost(now: number): void {
    for (const task of this.graph) this.end(task, false, now);
    for (const batches of this.held) batches.length = 0;
  }

  outputsOf(task: number): number[] {
    if (!this.graph.has(task)) return [];
    const { valueBytes } = this.scenario;
    return Array.from({ length: 1 + (hash(this.seed, FOR.bytes, task) % 2) }, (_, output) =>
      Math.ceil(2 * valueBytes * uniform(this.seed, FOR.bytes, task * 4 + output + 1)),
    );
  }

  releaseOld(client: number): ValueRef[] {
    const held = this.held[client]!;
    return held.splice(0, Math.max(0, held.length - BATCHES_HELD)).flatMap((batch) => this.valuesOf(batch));
  }

  releaseAll(): ValueRef[] {
    return this.held.flatMap((held) => held.splice(0).flatMap((batch) => this.valuesOf(batch)));
  }

  /** Each task takes up to three values of earlier ones that the client still holds. */
  private link(client: number, first: number, count: number): ValueRef[][] {
    const held = this.held[client]!;
    held.push({ first, count });
    for (let task = first; task < first + count; task++) this.graph.add(task);
    const inputs: ValueRef[][] = [];
    for (let task = first; task < first + count; task++) {
      const refs: ValueRef[] = [];
      for (let i = 0; i < hash(this.seed, FOR.inputs, task) % (MAX_INPUTS + 1); i++) {
        const pick = hash(this.seed, FOR.fetch, task * 4 + i);
        const batch = held[pick % held.length]!;
        const maker = batch.first + ((pick >>> 8) % batch.count);
        if (maker >= task || this.state[maker] === FAILED || this.state[maker] === UNKNOWN) continue;
        refs.push({ task: maker as TaskId, output: (pick >>> 4) % this.outputsOf(maker).length });
      }
      inputs.push(refs);
    }
    return inputs;
  }

  private valuesOf({ first, count }: GraphBatch): ValueRef[] {
    const values: ValueRef[] = [];
    for (let task = first; task < first + count; task++)
      for (let output = 0; output < this.outputsOf(task).length; output++)
        values.push({ task: task as TaskId, output });
    return values;
  }
}
