// A run of a script: virtual nodes, clients and links round a scheduler, on a virtual clock.
import type { TaskId } from "../ids/index.js";
import { Scheduler } from "../scheduler/index.js";
import type { Place, TaskBatch, ValueRef } from "../scheduler/index.js";
import { Agenda } from "./agenda.js";
import type { Brain, Watcher } from "./brain.js";
import { Clients } from "./clients.js";
import { Links, REDIAL_MS } from "./links.js";
import { Measures } from "./measures.js";
import type { Outcome } from "./measures.js";
import { FOR, uniform } from "./random.js";
import type { Scenario } from "./scenario.js";
import type { Script, ScriptEvent } from "./script.js";
import { boundOf } from "./script.js";
import { VirtualHub } from "./virtual-hub.js";
import type { Order, Report, Run, Surroundings } from "./virtual-node.js";
import { VirtualNode, valueKey } from "./virtual-node.js";

export interface SimulationOptions {
  /** What decides; the production scheduler unless something is to be compared with it. `life` counts hub restarts. */
  readonly makeBrain?: (life: number, seed: number) => Brain;
  readonly watcher?: Watcher;
  /** Milliseconds that really pass, to measure the time that decisions take. */
  readonly clock?: () => number;
  /** Called for each run that has ended, and at each sample: for reports. */
  readonly onRun?: (node: VirtualNode, run: Run, endedAt: number, answered: boolean) => void;
  readonly onSample?: (now: number, waiting: number, running: number, nodes: number) => void;
}

type Happening =
  | { readonly kind: "order"; readonly node: VirtualNode; readonly epoch: number; readonly order: Order }
  | { readonly kind: "report"; readonly node: VirtualNode; readonly epoch: number; readonly sent: Sent }
  | { readonly kind: "finish"; readonly node: VirtualNode; readonly run: Run }
  | { readonly kind: "then"; readonly then: () => void };

interface Sent {
  readonly report: Report;
  arrivedAt: number;
}

/** A run is stuck when it takes this many times the bound, and at least this long. */
const STUCK_TIMES = 1000;
const STUCK_MS = 3_600_000;
const SAMPLES = 400;

export class Simulation implements Surroundings {
  now = 0;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly nodes: VirtualNode[];
  readonly clients: Clients;
  readonly bound: number;
  private readonly agenda = new Agenda<Happening>();
  readonly hub: VirtualHub;
  private readonly links = new Links(this);
  private readonly measures: Measures;
  private readonly events: readonly ScriptEvent[];
  private nextEvent = 0;
  private journal: TaskBatch<number>[] = [];
  private nextSample = 0;

  constructor(
    script: Script,
    private readonly options: SimulationOptions = {},
  ) {
    this.scenario = script.scenario;
    this.seed = script.seed;
    this.events = script.events;
    this.bound = boundOf(script);
    this.nodes = Array.from({ length: script.scenario.nodes }, (_, i) => new VirtualNode(i, this));
    this.clients = new Clients(script);
    this.measures = new Measures(this.clients);
    const make =
      options.makeBrain ?? ((life: number, seed: number) => new Scheduler<number>({}, seed + life));
    this.hub = new VirtualHub(this, (life) => make(life, script.seed), options.watcher, options.clock);
  }

  run(): Outcome {
    const limit = Math.max(STUCK_MS, Number.isFinite(this.bound) ? this.bound * STUCK_TIMES : 0);
    let stuck = false;
    this.hub.entitle();
    while (!this.clients.finished) {
      if (!this.step() || this.now > limit) {
        stuck = true;
        break;
      }
      if (this.options.onSample !== undefined && this.now >= this.nextSample) this.sample();
    }
    const makespan = this.clients.lastOverAt;
    if (!stuck) this.settle();
    return this.measures.outcome({
      scenario: this.scenario.name,
      seed: this.seed,
      bound: this.bound,
      makespan,
      stuck,
      remembered: this.hub.counts.remembered,
      keptValues: this.nodes.reduce((sum, node) => sum + (node.alive ? node.values.size : 0), 0),
      digest: this.hub.digest,
      events: this.hub.events,
      decisions: this.hub.totalDecisions(),
      decidingMs: this.hub.decidingMs,
    });
  }

  /** The next thing happens. False: nothing ever will. */
  private step(): boolean {
    const scripted = this.events[this.nextEvent]?.at ?? Infinity;
    const timer = this.hub.nextTimer;
    const next = Math.min(scripted, timer, this.agenda.next);
    if (next === Infinity) return false;
    this.now = Math.max(this.now, next);
    if (scripted === next) this.happen(this.events[this.nextEvent++]!);
    else if (this.agenda.next <= next) this.take(this.agenda.take());
    else this.hub.handle({ type: "Tick" });
    return true;
  }

  /** After the last answer: values are let go, links settle. */
  private settle(): void {
    this.nextEvent = this.events.length;
    const release = this.clients.releaseAll();
    if (release.length > 0 && this.hub.up) this.hub.handle({ type: "ValuesReleased", values: release });
    while (this.agenda.size > 0) this.step();
  }

  private happen(event: ScriptEvent): void {
    switch (event.kind) {
      case "join": {
        const node = this.nodes[event.node]!;
        node.alive = true;
        this.links.dial(node);
        break;
      }
      case "leave":
        this.links.leave(this.nodes[event.node]!);
        break;
      case "crash": {
        const node = this.nodes[event.node]!;
        if (!node.alive) break;
        node.die();
        this.links.noticed(node);
        break;
      }
      case "drain": {
        const node = this.nodes[event.node]!;
        if (!node.alive) break;
        node.draining = true;
        this.hub.drain(node);
        this.links.leaveWhenIdle(node);
        break;
      }
      case "freeze":
        this.links.freeze(this.nodes[event.node]!, event.ms);
        break;
      case "break":
        this.links.breakLink(this.nodes[event.node]!, event.ms);
        break;
      case "submit":
        this.submit(event.client, event.first, event.count);
        break;
      case "cancel":
        if (this.clients.isOpen(event.task) && this.hub.up)
          this.hub.handle({ type: "TasksCancelled", tasks: [event.task] });
        break;
      case "restart":
        this.restart(event.ms);
        break;
      default:
        event satisfies never;
    }
  }

  private take(happening: Happening): void {
    switch (happening.kind) {
      case "order": {
        const { node, epoch } = happening;
        if (node.epoch !== epoch) return;
        if (node.frozenUntil > this.now) this.agenda.add(node.frozenUntil, happening);
        else node.obey(happening.order);
        if (node.draining) this.links.leaveWhenIdle(node);
        return;
      }
      case "report": {
        const { node, epoch, sent } = happening;
        if (node.epoch !== epoch || !this.hub.reachable(node)) return;
        sent.arrivedAt = this.now;
        this.hub.handle(sent.report);
        return;
      }
      case "finish": {
        const { node, run } = happening;
        if (run.over) return;
        if (run.endsAt > this.now) this.agenda.add(run.endsAt, happening);
        else node.finish(run);
        if (node.draining) this.links.leaveWhenIdle(node);
        return;
      }
      case "then":
        happening.then();
        return;
      default:
        happening satisfies never;
    }
  }

  private submit(client: number, first: number, count: number): void {
    if (!this.hub.up) {
      this.later(REDIAL_MS, () => this.submit(client, first, count));
      return;
    }
    const batch = this.clients.submit(client, first, count, this.now);
    if (this.scenario.hubRestarts > 0 && batch.keep === "hub") this.journal.push(batch);
    this.hub.handle({ type: "TasksSubmitted", batch });
    const release = this.clients.releaseOld(client);
    if (release.length > 0) this.hub.handle({ type: "ValuesReleased", values: release });
  }

  private restart(ms: number): void {
    if (!this.hub.up) return;
    this.hub.stop();
    for (const node of this.nodes) {
      if (!node.linked) continue;
      this.links.unlink(node);
      this.links.redial(node, ms + 1000 * uniform(this.seed, FOR.redial, node.index));
    }
    this.later(ms, () => {
      const left: TaskBatch<number>[] = [];
      for (const batch of this.journal) left.push(...remainsOf(batch, this.clients));
      this.journal = left;
      this.clients.hubLost(this.now);
      this.hub.start(left);
    });
  }

  report(node: VirtualNode, report: Report): void {
    const sent: Sent = { report, arrivedAt: Infinity };
    if (report.type === "AttemptsDone" || report.type === "AttemptFailed") {
      if (node.unsent.length > 8)
        node.unsent = node.unsent.filter((s) => s.arrivedAt + node.latencyMs > this.now);
      node.unsent.push(sent);
    }
    if (!node.linked) return;
    const { scenario: s } = this;
    const at = Math.max(this.now + node.latencyMs + s.answerBytes / s.bytesPerMs, node.lastToHub);
    node.lastToHub = at;
    this.agenda.add(at, { kind: "report", node, epoch: node.epoch, sent });
  }

  deliver(node: VirtualNode, order: Order): void {
    if (!node.linked) return;
    const { scenario: s } = this;
    const size = order.kind === "run" ? order.assignments.length * s.taskBytes : 0;
    // Bandwidth: a frame follows the one before it.
    const at = Math.max(this.now + node.latencyMs, node.lastToNode) + size / s.bytesPerMs;
    node.lastToNode = at;
    this.agenda.add(at, { kind: "order", node, epoch: node.epoch, order });
  }

  started(node: VirtualNode, run: Run): void {
    this.agenda.add(run.endsAt, { kind: "finish", node, run });
  }

  spent(node: VirtualNode, run: Run, answered: boolean): void {
    this.measures.spent(run.task, Math.min(this.now, run.endsAt) - run.startedAt, answered);
    this.options.onRun?.(node, run, this.now, answered);
  }

  later(ms: number, then: () => void): void {
    this.agenda.add(this.now + ms, { kind: "then", then });
  }

  outputsOf(task: number): number[] {
    return this.clients.outputsOf(task);
  }

  fetchable(place: Place, value: ValueRef): number | null {
    if (place === "hub") return this.scenario.answerBytes;
    const node = this.nodes[Number(place.slice(1))]!;
    return node.linked && node.frozenUntil <= this.now ? (node.values.get(valueKey(value)) ?? null) : null;
  }

  solved(tasks: readonly number[]): void {
    for (const task of tasks) this.measures.solved(task, this.now);
  }

  failed(task: number, code: string): void {
    this.measures.failed(task, code, this.now);
  }

  private sample(): void {
    const { waiting, running, blocked, nodes } = this.hub.counts;
    this.options.onSample?.(this.now, waiting + blocked, running, nodes);
    this.nextSample = this.now + (Number.isFinite(this.bound) ? this.bound : STUCK_MS) / SAMPLES;
  }
}

function remainsOf(batch: TaskBatch<number>, clients: Clients): TaskBatch<number>[] {
  const left: TaskBatch<number>[] = [];
  const size = batch.tags.length;
  for (let from = 0; from < size; from++) {
    if (!clients.isOpen(batch.first + from)) continue;
    let to = from + 1;
    while (to < size && clients.isOpen(batch.first + to)) to++;
    left.push({ ...batch, first: (batch.first + from) as TaskId, tags: batch.tags.slice(from, to) });
    from = to;
  }
  return left;
}
