// What the scheduler keeps of a task, its batch and its attempts. Records and their links; what changes them is elsewhere.
import type { AttemptFailure, Domain, SessionId, TaskId } from "../ids/index.js";
import type { Needs, TaskBatch } from "./events.js";
import type { Group, Level, Bucket } from "./group.js";
import type { Node, Pool } from "./node.js";
import type { Value } from "./value.js";

/** Waits for inputs. */
export const BLOCKED = 0;
/** In its session's queue. */
export const READY = 1;
/** Ready, but not for the nodes it failed on. */
export const PICKY = 2;
/** Waits before it may return to a node it failed on. */
export const RESTING = 3;
/** At least one live attempt. */
export const RUNNING = 4;
/** Solved. */
export const DONE = 5;
/** Failed or cancelled. */
export const OVER = 6;
export const STATE_NAMES = ["blocked", "ready", "ready", "resting", "running", "solved", "failed"] as const;

/** What the tasks of one submission share. */
export class Batch {
  readonly first: TaskId;
  readonly size: number;
  readonly domain: Domain;
  readonly session: SessionId;
  readonly service: string;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly attemptTimeoutMs: number;
  readonly deadlineAt: number;
  readonly failEarly: boolean;
  readonly needs: Needs | undefined;
  readonly idempotent: boolean;
  readonly keep: "hub" | "node";
  /** Tasks that are not over. */
  open = 0;
  heapAt = -1;

  constructor(
    from: TaskBatch<unknown>,
    public group: Group,
    public level: Level,
  ) {
    this.first = from.first;
    this.size = from.tags.length;
    this.domain = from.domain;
    this.session = from.session;
    this.service = from.service;
    this.priority = from.priority;
    this.maxAttempts = from.maxAttempts;
    this.attemptTimeoutMs = from.attemptTimeoutMs;
    this.deadlineAt = from.deadlineAt;
    this.failEarly = from.failEarly === true;
    this.needs = from.needs;
    this.idempotent = from.idempotent;
    this.keep = from.keep;
  }
}

/** Kept apart, since most tasks never fail. */
export class Trouble {
  /** Attempts that count against maxAttempts. */
  failed = 0;
  /** Nodes lost in a row while they ran it. */
  downs = 0;
  /** Rests so far: each is twice as long. */
  rests = 0;
  readonly reasons: AttemptFailure[] = [];
  readonly failedOn: Node[] = [];
  bucket: Bucket | null = null;
}

/** Kept apart, since most tasks have no inputs and leave nothing on nodes. */
export class Dataflow {
  inputs: readonly Value[] = [];
  /** Distinct inputs that cannot be had now. */
  missing = 0;
  readonly outputs: (Value | undefined)[] = [];
  /** Remembered tasks that have an output of this one as input: their lineage goes through it. */
  heirs = 0;
  /** Solved tasks in a row that its lineage goes back. */
  depth = 0;
  /** Times a task behind it was taken first, because its values were at hand. */
  passed = 0;
  /** Its values are gone, and it can not be run again. */
  barren = false;
}

export class Task {
  prev: Task | null = null;
  next: Task | null = null;
  state = BLOCKED;
  attempts: Attempt | null = null;
  lastAttempt = 0;
  heapAt = -1;
  trouble: Trouble | null = null;
  data: Dataflow | null = null;
  /** Its solution has been told; when it is run again for a lost value, that is not told. */
  told = false;

  constructor(
    readonly id: TaskId,
    /** The caller's data: only the outbox gives it back, with its type. */
    readonly tag: unknown,
    readonly batch: Batch,
  ) {}

  get open(): boolean {
    return this.state <= RUNNING;
  }

  get queued(): boolean {
    return this.state >= READY && this.state <= RESTING;
  }

  attemptAt(node: Node, number: number): Attempt | null {
    let attempt = this.attempts;
    while (attempt !== null && (attempt.number !== number || attempt.node !== node))
      attempt = attempt.sibling;
    return attempt;
  }

  get hasLiveAttempt(): boolean {
    return this.liveAttempts > 0;
  }

  get liveAttempts(): number {
    let count = 0;
    for (let attempt = this.attempts; attempt !== null; attempt = attempt.sibling)
      if (attempt.state === LIVE) count++;
    return count;
  }
}

/** It counts: its answer is waited for. */
export const LIVE = 0;
/** Told to stop, and not yet answered: it still takes its place at the node. */
export const ZOMBIE = 1;
/** Its node is unreachable; others may run the task. */
export const LOST = 2;

/** Attempts of one task at a time, at most, when copies may run. */
export const MAX_COPIES = 3;

export class Attempt {
  state = LIVE;
  /** Neighbours in the node's hand. */
  prev: Attempt | null = null;
  next: Attempt | null = null;
  /** The task's next attempt. */
  sibling: Attempt | null = null;
  /** Within the node's slots: taken to be running. */
  started = false;
  startedAt = -1;
  /** The event that brought it. */
  event = -1;
  /** How long it may run; 0: no limit. */
  timeoutMs = 0;
  /** Asked back, and neither dropped nor started yet; and the pool it is asked back for, if for one. */
  recalled = false;
  recalledFor: Pool | null = null;
  /** It was running when its node was lost, and that was counted. */
  down = false;
  /** Neighbours among the group's running attempts that may be copied. */
  olderRun: Attempt | null = null;
  youngerRun: Attempt | null = null;
  copyable = false;
  heapAt = -1;

  constructor(
    public task: Task,
    public node: Node,
    public number: number,
  ) {}
}

/** First in, first out; any task can leave from the middle. */
export class TaskList {
  head: Task | null = null;
  tail: Task | null = null;

  push(task: Task): void {
    task.prev = this.tail;
    task.next = null;
    if (this.tail === null) this.head = task;
    else this.tail.next = task;
    this.tail = task;
  }

  unshift(task: Task): void {
    task.next = this.head;
    task.prev = null;
    if (this.head === null) this.tail = task;
    else this.head.prev = task;
    this.head = task;
  }

  remove(task: Task): void {
    if (task.prev === null) this.head = task.next;
    else task.prev.next = task.next;
    if (task.next === null) this.tail = task.prev;
    else task.next.prev = task.prev;
    task.prev = task.next = null;
  }
}

/** What ties a task to values, made when it is first needed. */
export function dataOf(task: Task): Dataflow {
  return (task.data ??= new Dataflow());
}
