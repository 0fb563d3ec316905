// The hub's centre: it drives the scheduler with events and carries out its effects. Desks translate for clients and nodes.
import type { Logger } from "pino";
import type { NodeId } from "../ids/index.js";
import {
  DEFAULT_SCHEDULER_OPTIONS,
  Scheduler,
  type Assignment,
  type SchedulerEffect,
  type SchedulerEvent,
  type SchedulerOptions,
} from "../scheduler/index.js";
import type { MessageOf } from "../wire/index.js";
import type { BlobColumn, BlobPayloads } from "./blob-payloads.js";
import type { ClientDesk } from "./client-desk.js";
import type { HubCounters } from "./counters.js";
import type { Watch } from "./events/index.js";
import { GraphTask } from "./graphs/graph.js";
import type { GraphDesk } from "./graphs/graph-desk.js";
import { isVerifier } from "./graphs/replicas.js";
import type { Job } from "./jobs.js";
import type { Ledger } from "./ledger.js";
import type { HubLimits } from "./limits.js";
import type { NodeDesk } from "./node-desk.js";
import type { Recorder } from "./recorder.js";
import type { Transfers } from "./transfers.js";

/** What the desks share. */
export interface HubParts {
  readonly log: Logger;
  readonly limits: HubLimits;
  readonly counters: HubCounters;
  readonly ledger: Ledger;
  readonly blobs: BlobPayloads;
  readonly transfers: Transfers;
  /** What is told to those who watch. */
  readonly watch: Watch;
}

/** Answers of a node; those that it uploaded lie in blobs. */
export type Answers = MessageOf<"solved"> & { readonly blobs?: BlobColumn };

/** Milliseconds since 1970 on a clock that never jumps. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

/** What moving a value is taken to cost: a wired network; a loopback link is quicker, a wireless one slower. */
const BYTES_PER_MS = 100_000;

export class HubCore {
  readonly scheduler: Scheduler<Job | GraphTask>;
  /** How long an unreachable node may take to come back as itself. */
  readonly graceMs: number;
  clients!: ClientDesk;
  nodes!: NodeDesk;
  graphs!: GraphDesk;
  /** Writes down what the scheduler is told, when somebody asked for it. */
  recorder: Recorder | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #timerAt = Infinity;

  constructor(options?: Partial<SchedulerOptions>) {
    this.scheduler = new Scheduler<Job | GraphTask>({ bytesPerMs: BYTES_PER_MS, ...options });
    this.graceMs = options?.graceMs ?? DEFAULT_SCHEDULER_OPTIONS.graceMs;
  }

  /** Tells the scheduler, does what it asks. `answers`: the message behind an AttemptsDone. */
  handle(event: SchedulerEvent<Job | GraphTask>, answers?: Answers): void {
    const now = wallClock();
    this.recorder?.event(event, now);
    const effects = this.scheduler.handle(event, now);
    this.recorder?.decided();
    for (const effect of effects) this.#apply(effect, answers);
    this.#arm();
  }

  #apply(effect: SchedulerEffect<Job | GraphTask>, answers: Answers | undefined): void {
    switch (effect.type) {
      case "Dispatch":
        this.#dispatch(effect.node, effect.assignments);
        break;
      case "Cancel":
        this.nodes.stop(effect.node, effect.attempts, effect.why);
        break;
      case "Recall":
        this.nodes.recall(effect.node, effect.attempts);
        break;
      case "Solved":
        // The tasks of one answer are jobs, or of graphs.
        if (areJobs(effect)) this.clients.solved(effect, answers as Answers);
        else this.graphs.solved(effect.tags as GraphTask[]);
        break;
      case "Failed": {
        const { tag, code, message, reasons } = effect;
        if (tag instanceof GraphTask) this.graphs.failed(tag, code, message, reasons);
        else if (tag.early !== undefined) {
          const tell = () => this.clients.unsolved(tag, code, message, reasons);
          this.clients.admission.early.gaveUp(tag, tell);
        } else this.clients.unsolved(tag, code, message, reasons);
        break;
      }
      case "Quarantined":
        this.nodes.quarantined(effect.node as NodeId, effect.untilMs, effect.why);
        break;
      case "Release":
        // Solutions of jobs live at the hub too; their dependents are counted there.
        this.graphs.release(effect);
        break;
      case "Recomputed":
        this.graphs.recomputed(effect);
        break;
      case "ValuesGone":
        this.graphs.valuesGone(effect);
        break;
      default:
        effect satisfies never;
    }
  }

  #dispatch(node: NodeId, assignments: readonly Assignment<Job | GraphTask>[]): void {
    const graphs = assignments.filter(isGraphTask);
    const jobs = graphs.length === 0 ? assignments : assignments.filter((one) => !isGraphTask(one));
    if (isVerifier(node)) this.graphs.verify(graphs);
    else if (graphs.length > 0) this.graphs.dispatch(this.nodes.views.get(node), graphs);
    if (jobs.length > 0) this.nodes.dispatch(node, jobs as readonly Assignment<Job>[]);
  }

  #arm(): void {
    const at = this.scheduler.nextTimer();
    if (at === this.#timerAt) return;
    this.#timerAt = at;
    clearTimeout(this.#timer);
    if (at === Infinity) return;
    const wait = Math.min(Math.max(0, at - wallClock()), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.handle({ type: "Tick" });
    }, Math.ceil(wait));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }
}

function isGraphTask(assignment: Assignment<Job | GraphTask>): assignment is Assignment<GraphTask> {
  return assignment.tag instanceof GraphTask;
}

type Solved<Tag> = Extract<SchedulerEffect<Tag>, { readonly type: "Solved" }>;

function areJobs(effect: Solved<Job | GraphTask>): effect is Solved<Job> {
  return !(effect.tags[0] instanceof GraphTask);
}
