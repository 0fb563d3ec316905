// What the scheduler is told (events) and what it asks for (effects). Data only; scheduler.ts holds the decisions.
// Events and effects come in batches, so that a hundred thousand small tasks a second cost one call a tick.
import type { AttemptFailure, Domain, NodeId, SessionId, TaskId } from "../ids/index.js";

/** Output number `output` of a task: immutable, held where it was computed (or at the hub) until it is released. */
export interface ValueRef {
  readonly task: TaskId;
  readonly output: number;
}

/** Where a value can be fetched. The hub is a place too: solutions of jobs live there. */
export type Place = NodeId | "hub";

/** One try of a task on one node. `attempt` counts from 1 within the task. */
export interface AttemptRef {
  readonly task: TaskId;
  readonly attempt: number;
}

/** What a node must have to run a task, beyond its service. */
export interface Needs {
  readonly memoryMb?: number;
  /** An execution provider of the engine, for instance "webgpu". */
  readonly provider?: string;
  /** All of these. */
  readonly labels?: readonly string[];
}

/** As attemptTimeoutMs: from the durations seen, twice as long after each time. */
export const ADAPTIVE = -1;

/** Tasks that share everything but their number, inputs and tag. `Tag` is the caller's own data; the scheduler never looks inside. */
export interface TaskBatch<Tag> {
  /** Numbers are `first`, `first + 1`, ... and never reused. */
  readonly first: TaskId;
  readonly tags: readonly Tag[];
  readonly domain: Domain;
  /** The session that asked: fairness, quotas and cancellation go by it. */
  readonly session: SessionId;
  /** What a node must offer to run it. */
  readonly service: string;
  /** Higher runs first, within one session. */
  readonly priority: number;
  /** Tries before the task fails with all its reasons. */
  readonly maxAttempts: number;
  /** Milliseconds one attempt may run; 0: no limit; ADAPTIVE: far longer than others took. */
  readonly attemptTimeoutMs: number;
  /** Milliseconds that one should take at speed 1, as far as the caller can tell: used until durations are seen. */
  readonly expectedMs?: number;
  /** Time (same clock as `now`) after which the task fails; Infinity: never. */
  readonly deadlineAt: number;
  /** Fail it as soon as the fastest node could no longer make the deadline. */
  readonly failEarly?: boolean;
  /** What a node must have besides the service. */
  readonly needs?: Needs;
  /** Whether a second copy may run while the first does. */
  readonly idempotent: boolean;
  /** Where outputs stay: solutions of jobs go to the hub, values of graphs stay at their node. */
  readonly keep: "hub" | "node";
  /** Per task, the values it needs before it can run; absent: none. A failed task fails those that need it. */
  readonly inputs?: readonly (readonly ValueRef[])[];
  /** Per task, its outputs where nodes hold them all already, from before a restart of the hub: it need not run. */
  readonly found?: readonly (readonly FoundValue[] | undefined)[];
}

/** An output that was there before its task was submitted. */
export interface FoundValue {
  readonly bytes: number;
  readonly nodes: readonly NodeId[];
}

export type SchedulerEvent<Tag> =
  /** A node with an empty hand. `window` is its credit: how many tasks it will hold at once, at least `slots`. */
  | {
      readonly type: "NodeJoined";
      readonly node: NodeId;
      readonly domain: Domain;
      readonly slots: number;
      readonly window: number;
      readonly services: readonly string[];
      /** Of `services`, those the operator declared idempotent. */
      readonly idempotent?: readonly string[];
      /** How fast its benchmark says it is, beside others; default 1. What it then does corrects this. */
      readonly speed?: number;
      /** Bytes a millisecond that its link takes of values, as measured; default: the option's. */
      readonly bytesPerMs?: number;
      readonly memoryMb?: number;
      readonly providers?: readonly string[];
      readonly labels?: readonly string[];
      /** NodeResumed follows: until then its hand is unknown, and it is given nothing. */
      readonly resuming?: boolean;
    }
  /** A node is back within its grace (or after the hub's restart, following NodeJoined) and lists what it has. */
  | {
      readonly type: "NodeResumed";
      readonly node: NodeId;
      readonly running: readonly AttemptRef[];
      readonly values: readonly { readonly value: ValueRef; readonly bytes: number }[];
    }
  | { readonly type: "NodeWindow"; readonly node: NodeId; readonly window: number }
  /** The node runs more at the same time than it did, or less; what it holds, it keeps. */
  | { readonly type: "NodeSlots"; readonly node: NodeId; readonly slots: number }
  /** The link closed or fell silent: tasks may start elsewhere at once, values wait for the grace. */
  | { readonly type: "NodeUnreachable"; readonly node: NodeId }
  /** The node said goodbye, or its grace is over as the hub sees it: what it held is gone. */
  | { readonly type: "NodeLeft"; readonly node: NodeId }
  /** The node takes nothing new; what it runs, it finishes. */
  | { readonly type: "NodeDraining"; readonly node: NodeId }
  /** The node has other labels than when it joined. */
  | { readonly type: "NodeLabels"; readonly node: NodeId; readonly labels: readonly string[] }
  /** What the node's link takes of values has been measured. */
  | { readonly type: "NodeLink"; readonly node: NodeId; readonly bytesPerMs: number }
  /** A node has given a wrong result: it is left alone for so long. */
  | { readonly type: "NodeDistrusted"; readonly node: NodeId; readonly forMs: number; readonly why: string }
  /** What a session is entitled to: weight (default 1), tasks at nodes at once (default: as many as there are). */
  | {
      readonly type: "SessionShare";
      readonly session: SessionId;
      readonly weight?: number;
      readonly maxRunning?: number;
    }
  | { readonly type: "TasksSubmitted"; readonly batch: TaskBatch<Tag> }
  /** Answers of one node, in columns. `values[i]`: bytes of each output of task i, when the batch keeps them at nodes. */
  | {
      readonly type: "AttemptsDone";
      readonly node: NodeId;
      readonly tasks: ArrayLike<number>;
      readonly attempts: ArrayLike<number>;
      readonly ms?: ArrayLike<number>;
      readonly values?: readonly (readonly number[])[];
      /** Of those of task i, the outputs that have come to the hub instead of staying at the node. */
      readonly atHub?: readonly (readonly number[])[];
    }
  /** One attempt failed. `retry: false`: the service says that trying again is no use. */
  | {
      readonly type: "AttemptFailed";
      readonly node: NodeId;
      readonly task: TaskId;
      readonly attempt: number;
      readonly code: string;
      readonly message: string;
      readonly retry: boolean;
    }
  /** A cancelled or recalled attempt has left the node: its slot is free. */
  | {
      readonly type: "AttemptsDropped";
      readonly node: NodeId;
      readonly tasks: ArrayLike<number>;
      readonly attempts: ArrayLike<number>;
    }
  | { readonly type: "TasksCancelled"; readonly tasks: ArrayLike<number> }
  /** A value that no task makes: a client's own. It can be had at the hub as long as it is not released. */
  | {
      readonly type: "ValueGiven";
      readonly value: ValueRef;
      readonly domain: Domain;
      readonly bytes: number;
    }
  /** Somebody will ask for these values: computed again as soon as they are lost, needed by a task or not. */
  | { readonly type: "ValuesWanted"; readonly values: readonly ValueRef[] }
  /** Nobody will ask for these values again (beyond the tasks that already need them). */
  | { readonly type: "ValuesReleased"; readonly values: readonly ValueRef[] }
  /** A copy of a value has arrived at a place, or was lost there. */
  | { readonly type: "ValueCopied"; readonly value: ValueRef; readonly bytes: number; readonly place: Place }
  | { readonly type: "ValueLost"; readonly value: ValueRef; readonly place: Place }
  /** The disk refuses writes: nothing new is dispatched until it takes them again. */
  | { readonly type: "DispatchPaused" }
  | { readonly type: "DispatchResumed" }
  /** Time has passed; only timers that are due act. */
  | { readonly type: "Tick" };

/** One task on its way to a node. */
export interface Assignment<Tag> {
  readonly task: TaskId;
  readonly attempt: number;
  readonly tag: Tag;
  readonly service: string;
  readonly attemptTimeoutMs: number;
  /** For each input: who has it. Empty when the task has none. */
  readonly inputs: readonly { readonly value: ValueRef; readonly places: readonly Place[] }[];
}

export type SchedulerEffect<Tag> =
  /** Send these to the node, in this order. */
  | { readonly type: "Dispatch"; readonly node: NodeId; readonly assignments: readonly Assignment<Tag>[] }
  /** Stop these if they run; the node answers with a drop (or its solution, if that was quicker). */
  | {
      readonly type: "Cancel";
      readonly node: NodeId;
      readonly attempts: readonly AttemptRef[];
      readonly why: "cancelled" | "attempt_timeout" | "deadline" | "superseded" | "unknown";
    }
  /** Give these back if they have not started. */
  | { readonly type: "Recall"; readonly node: NodeId; readonly attempts: readonly AttemptRef[] }
  /** First answers, one for each task of the AttemptsDone event that counts: `index[i]` is its position there. Others were superseded. */
  | {
      readonly type: "Solved";
      readonly node: NodeId;
      readonly tasks: readonly TaskId[];
      readonly tags: readonly Tag[];
      readonly index: readonly number[];
    }
  /** The task is over without a solution. */
  | {
      readonly type: "Failed";
      readonly task: TaskId;
      readonly tag: Tag;
      readonly code: string;
      readonly message: string;
      readonly reasons: readonly AttemptFailure[];
    }
  /** Tasks that were solved long ago have been run again for values they had lost: those can be had again. */
  | { readonly type: "Recomputed"; readonly tasks: readonly TaskId[]; readonly tags: readonly Tag[] }
  /** A solved task has lost wanted values for good. */
  | {
      readonly type: "ValuesGone";
      readonly task: TaskId;
      readonly tag: Tag;
      readonly message: string;
      readonly reasons: readonly AttemptFailure[];
    }
  /** The node gets nothing for a while: it failed too often in a row. */
  | { readonly type: "Quarantined"; readonly node: NodeId; readonly untilMs: number; readonly why: string }
  /** Copies that nobody needs any more. */
  | { readonly type: "Release"; readonly place: Place; readonly values: readonly ValueRef[] };

/** The production tunables, in one place, with the simulator's in mind. Milliseconds unless named otherwise. */
export interface SchedulerOptions {
  /** How long an unreachable node's values are waited for. */
  readonly graceMs: number;
  /** First wait before a failed task may return to a node it failed on; doubles with each failure. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** Failed attempts in a row, of different tasks, that put a node in quarantine, and for how long. */
  readonly quarantineAfter: number;
  readonly quarantineMs: number;
  /** Nodes in a row that a task may take down before it fails. */
  readonly maxNodesTakenDown: number;
  /** An adaptive timeout is this many times the longest duration lately seen, and at least this long. */
  readonly adaptiveTimes: number;
  readonly adaptiveLeastMs: number;
  /** What moving a value to a node is taken to cost where its link has not been measured. */
  readonly bytesPerMs: number;
  /** Solved tasks in a row that are kept so that a lost value could be computed again; beyond, it can not. */
  readonly maxLineage: number;
  /** Slack the hub adds to attemptTimeoutMs before it acts itself: the node is told first. */
  readonly timeoutSlackMs: number;
  /** The most tasks one Dispatch carries, so that one frame does not hold up the rest. */
  readonly maxDispatch: number;
}

export const DEFAULT_SCHEDULER_OPTIONS: SchedulerOptions = {
  graceMs: 10_000,
  backoffMs: 100,
  maxBackoffMs: 10_000,
  quarantineAfter: 5,
  quarantineMs: 30_000,
  maxNodesTakenDown: 3,
  adaptiveTimes: 5,
  adaptiveLeastMs: 5000,
  bytesPerMs: 10_000,
  maxLineage: 1000,
  timeoutSlackMs: 50,
  maxDispatch: 4096,
};
