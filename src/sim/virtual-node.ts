// A virtual computing node: its hand, its slots, its values, its answers. It does what it is told, at its own speed; links and
// the hub are elsewhere.
import type { NodeId, TaskId } from "../ids/index.js";
import type { Assignment, AttemptRef, Place, SchedulerEvent, ValueRef } from "../scheduler/index.js";
import { FOR, uniform } from "./random.js";
import type { Scenario } from "./scenario.js";
import { claimOf, speedOf, workOf } from "./script.js";

type EventOf<Type> = Extract<SchedulerEvent<number>, { readonly type: Type }>;
export type Report = EventOf<"AttemptsDone" | "AttemptFailed" | "AttemptsDropped" | "ValueCopied">;

/** What a hub sends to a node. */
export type Order =
  | { readonly kind: "run"; readonly assignments: readonly Assignment<number>[] }
  | { readonly kind: "stop" | "recall"; readonly attempts: readonly AttemptRef[] }
  | { readonly kind: "release"; readonly values: readonly ValueRef[] };

/** One attempt at work. */
export interface Run {
  readonly task: number;
  readonly attempt: number;
  readonly startedAt: number;
  endsAt: number;
  /** It was stopped, or its node is gone: whoever looks at it next lets it be. */
  over: boolean;
  readonly failure: "no" | "retry" | "final" | "input";
}

/** What a virtual node needs of the world. */
export interface Surroundings {
  readonly scenario: Scenario;
  readonly seed: number;
  now: number;
  report(node: VirtualNode, report: Report): void;
  /** The run will end at `run.endsAt` unless that changes. */
  started(node: VirtualNode, run: Run): void;
  /** The run took this time of the node; `answered`: it came to an answer. */
  spent(node: VirtualNode, run: Run, answered: boolean): void;
  /** Bytes of each value that the task leaves at its node. */
  outputsOf(task: number): number[];
  /** Bytes of a value that can be fetched from there now, or null. */
  fetchable(place: Place, value: ValueRef): number | null;
}

/** Part of the running attempts that cannot be interrupted. */
const STUBBORN = 0.3;
/** A node that cannot get an input waits this long before it says so. */
const FETCH_PATIENCE_MS = 1000;

export const valueKey = (value: ValueRef): string => `${value.task}.${value.output}`;

export class VirtualNode {
  readonly id: NodeId;
  readonly speed: number;
  readonly claim: number;
  readonly latencyMs: number;
  readonly services: readonly string[];
  readonly memoryMb: number;
  readonly providers: readonly string[];
  readonly labels: readonly string[];
  readonly bad: boolean;
  alive = false;
  draining = false;
  frozenUntil = 0;
  /** The link: each has its number, and frames of an older one are lost. */
  epoch = 0;
  linked = false;
  /** When the last frame in each direction arrives: frames keep their order. */
  lastToHub = 0;
  lastToNode = 0;
  readonly running: Run[] = [];
  waiting: Assignment<number>[] = [];
  readonly values = new Map<string, number>();
  /** Answers that the hub may not have. */
  unsent: { readonly report: Report; arrivedAt: number }[] = [];

  constructor(
    readonly index: number,
    private readonly world: Surroundings,
  ) {
    const { scenario: s, seed } = world;
    this.id = `n${index}` as NodeId;
    this.speed = speedOf(s, seed, index);
    this.claim = claimOf(s, seed, index);
    this.latencyMs = s.latencyMs * 4 ** (uniform(seed, FOR.latency, index) - 0.5);
    this.memoryMb = this.some(0) ? 8192 : 2048;
    this.providers = this.some(1) ? ["cpu", "webgpu"] : ["cpu"];
    this.labels = this.some(2) ? ["quiet"] : [];
    this.bad = index >= s.steady && s.bad > 0 && uniform(seed, FOR.lies, index) < s.bad;
    this.services = Array.from({ length: s.services }, (_, i) => `s${i}`).filter(
      (_, i) => i === 0 || index < s.steady || uniform(seed, FOR.place, index * 16 + i) < 0.5,
    );
  }

  /** Steady nodes have everything, so that all work can be done. */
  private some(what: number): boolean {
    const { scenario: s, seed } = this.world;
    return (
      s.needs > 0 && (this.index < s.steady || uniform(seed, FOR.place, this.index * 16 + 8 + what) < 0.5)
    );
  }

  get idle(): boolean {
    return this.running.length === 0 && this.waiting.length === 0;
  }

  obey(order: Order): void {
    switch (order.kind) {
      case "run":
        for (const assignment of order.assignments) this.waiting.push(assignment);
        break;
      case "stop":
      case "recall":
        this.giveBack(order.attempts, order.kind === "stop");
        break;
      case "release":
        for (const value of order.values) this.values.delete(valueKey(value));
        break;
      default:
        order satisfies never;
    }
    this.fill();
  }

  /** The run is at its end. */
  finish(run: Run): void {
    const { world } = this;
    this.running.splice(this.running.indexOf(run), 1);
    world.spent(this, run, run.failure === "no");
    const { task, attempt } = run;
    if (run.failure === "no") {
      const values = this.outputsOf(task);
      world.report(this, {
        type: "AttemptsDone",
        node: this.id,
        tasks: [task],
        attempts: [attempt],
        ms: [world.now - run.startedAt],
        ...(values.length > 0 && { values: [values] }),
      });
    } else {
      const code = run.failure === "input" ? "input_gone" : "service_error";
      const retry = run.failure !== "final";
      world.report(this, {
        type: "AttemptFailed",
        node: this.id,
        task: task as TaskId,
        attempt,
        code,
        message: "",
        retry,
      });
    }
    this.fill();
  }

  /** Everything that is in its hand, as it says it when it comes back. */
  hand(): AttemptRef[] {
    const hand = this.running.map(({ task, attempt }) => ({ task: task as TaskId, attempt }));
    for (const { task, attempt } of this.waiting) hand.push({ task, attempt });
    for (const { report } of this.unsent) {
      if (report.type === "AttemptsDone")
        hand.push({ task: report.tasks[0] as TaskId, attempt: report.attempts[0]! });
      else if (report.type === "AttemptFailed") hand.push({ task: report.task, attempt: report.attempt });
    }
    return hand;
  }

  valueList(): { value: ValueRef; bytes: number }[] {
    return [...this.values].map(([key, bytes]) => {
      const [task, output] = key.split(".").map(Number);
      return { value: { task: task as TaskId, output: output! }, bytes };
    });
  }

  /** It stops dead: nothing of it is left. */
  die(): void {
    this.alive = false;
    this.linked = false;
    this.epoch++;
    for (const run of this.running) {
      run.over = true;
      this.world.spent(this, run, false);
    }
    this.running.length = 0;
    this.waiting.length = 0;
    this.unsent.length = 0;
    this.values.clear();
  }

  freeze(ms: number): void {
    const { now } = this.world;
    this.frozenUntil = Math.max(this.frozenUntil, now + ms);
    for (const run of this.running) run.endsAt += ms;
  }

  private giveBack(attempts: readonly AttemptRef[], stop: boolean): void {
    const tasks: number[] = [];
    const numbers: number[] = [];
    for (const { task, attempt } of attempts) {
      const at = this.waiting.findIndex((a) => a.task === task && a.attempt === attempt);
      if (at >= 0) this.waiting.splice(at, 1);
      else {
        const run = stop ? this.running.find((r) => r.task === task && r.attempt === attempt) : undefined;
        if (run === undefined || uniform(this.world.seed, FOR.stubborn, task) < STUBBORN) continue;
        run.over = true;
        this.running.splice(this.running.indexOf(run), 1);
        this.world.spent(this, run, false);
      }
      tasks.push(task);
      numbers.push(attempt);
    }
    if (tasks.length > 0)
      this.world.report(this, { type: "AttemptsDropped", node: this.id, tasks, attempts: numbers });
  }

  private fill(): void {
    const { slots } = this.world.scenario;
    while (this.running.length < slots && this.waiting.length > 0) this.start(this.waiting.shift()!);
  }

  private start({ task, attempt, inputs }: Assignment<number>): void {
    const { world } = this;
    const { scenario: s, seed, now } = world;
    const which = task * 64 + attempt;
    let fetchMs = 0;
    let failure: Run["failure"] = "no";
    for (const { value, places } of inputs) {
      const key = valueKey(value);
      if (this.values.has(key)) continue;
      const bytes = places.map((place) => world.fetchable(place, value)).find((found) => found !== null);
      if (bytes === undefined || bytes === null) {
        failure = "input";
        fetchMs = FETCH_PATIENCE_MS;
        break;
      }
      fetchMs += 2 * this.latencyMs + bytes / s.bytesPerMs;
      this.values.set(key, bytes);
      world.report(this, { type: "ValueCopied", value, bytes, place: this.id });
    }
    let ms = workOf(s, seed, task) / this.speed;
    if (s.stragglers > 0 && uniform(seed, FOR.straggler, which) < s.stragglers) ms *= s.stragglerTimes;
    if (failure === "input") ms = 0;
    else if (this.bad) failure = "retry";
    else if (s.failures > 0 && uniform(seed, FOR.failure, which) < s.failures) {
      failure = uniform(seed, FOR.finality, which) < s.finalFailures ? "final" : "retry";
      ms *= uniform(seed, FOR.fetch, which);
    }
    const run: Run = { task, attempt, startedAt: now, endsAt: now + fetchMs + ms, over: false, failure };
    this.running.push(run);
    world.started(this, run);
  }

  private outputsOf(task: number): number[] {
    const sizes = this.world.outputsOf(task);
    for (const [output, bytes] of sizes.entries()) this.values.set(`${task}.${output}`, bytes);
    return sizes;
  }
}
