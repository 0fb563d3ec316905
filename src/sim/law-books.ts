// What the laws know of a run: books of nodes, tasks and values, kept from events alone. laws.ts judges by them.
import type { AttemptRef, SchedulerEvent, TaskBatch, ValueRef } from "../scheduler/index.js";

export type Event = SchedulerEvent<number>;
export type EventOf<Type> = Extract<Event, { readonly type: Type }>;

export interface NodeBook {
  readonly domain: string;
  readonly services: readonly string[];
  joined: EventOf<"NodeJoined">;
  window: number;
  reachable: boolean;
  draining: boolean;
  quarantinedUntil: number;
  lostAt: number;
  /** What the scheduler must think it holds: "task attempt". */
  readonly held: Map<string, AttemptRef>;
  readonly values: Set<string>;
}

export interface TaskBook {
  readonly batch: TaskBatch<number>;
  readonly inputs: readonly ValueRef[];
  over: "no" | "solved" | "failed";
  cancelled: boolean;
  finalFailure: boolean;
  failures: number;
  downs: number;
  /** Attempts that count: "node attempt". */
  readonly live: Set<string>;
  restingSince: number;
  /** Told to stop, as they took too long; a node that was away may be told again. */
  readonly timedOut: Set<string>;
  dispatches: number;
  /** Dispatches that something that went wrong accounts for. */
  excuses: number;
}

const GRACE_MS = 10_000;

export const nameOf = (value: ValueRef): string => `${value.task}.${value.output}`;

export class Books {
  protected readonly nodes = new Map<string, NodeBook>();
  protected readonly tasks = new Map<number, TaskBook>();
  protected readonly hubValues = new Set<string>();
  protected readonly released = new Set<string>();
  protected paused = false;
  protected now = 0;

  protected graces(): void {
    for (const node of this.nodes.values())
      if (!node.reachable && node.lostAt + GRACE_MS <= this.now) {
        node.held.clear();
        this.forgetValues(node);
      }
  }

  protected before(event: Event): void {
    switch (event.type) {
      case "NodeJoined":
        this.leave(event.node);
        this.nodes.set(event.node, {
          ...{
            domain: event.domain,
            services: event.services,
            joined: event,
            draining: false,
            quarantinedUntil: 0,
          },
          ...{
            window: Math.max(event.slots, event.window),
            reachable: event.resuming !== true,
            lostAt: this.now,
          },
          ...{ held: new Map(), values: new Set() },
        });
        return;
      case "NodeUnreachable": {
        const node = this.nodes.get(event.node);
        if (node === undefined) return;
        this.lose(event.node, node);
        return;
      }
      case "NodeLeft":
        this.leave(event.node);
        return;
      case "NodeResumed":
        this.resume(event);
        return;
      case "NodeWindow": {
        const node = this.nodes.get(event.node);
        if (node === undefined) return;
        node.window = Math.max(node.joined.slots, event.window);
        node.draining = false;
        return;
      }
      case "NodeSlots": {
        const node = this.nodes.get(event.node);
        if (node === undefined) return;
        node.joined = { ...node.joined, slots: event.slots };
        node.window = Math.max(event.slots, node.window);
        return;
      }
      case "NodeDraining": {
        const node = this.nodes.get(event.node);
        if (node !== undefined) node.draining = true;
        return;
      }
      case "TasksSubmitted":
        for (let i = 0; i < event.batch.tags.length; i++) {
          const id = event.batch.first + i;
          if (this.tasks.has(id)) continue;
          this.tasks.set(id, {
            ...{ batch: event.batch, inputs: event.batch.inputs?.[i] ?? [], over: "no", cancelled: false },
            ...{
              finalFailure: false,
              failures: 0,
              downs: 0,
              live: new Set(),
              dispatches: 0,
              excuses: 0,
              restingSince: -1,
              timedOut: new Set(),
            },
          });
        }
        return;
      case "AttemptsDone":
        this.done(event);
        return;
      case "AttemptFailed": {
        this.free(event.node, event.task, event.attempt);
        const task = this.tasks.get(event.task);
        if (task === undefined) return;
        task.excuses++;
        if (!task.live.delete(`${event.node} ${event.attempt}`)) return;
        task.failures++;
        task.finalFailure ||= !event.retry;
        return;
      }
      case "AttemptsDropped":
        for (let i = 0; i < event.tasks.length; i++) {
          this.free(event.node, event.tasks[i]!, event.attempts[i]!);
          const task = this.tasks.get(event.tasks[i]!);
          if (task === undefined) continue;
          task.excuses++;
          task.live.delete(`${event.node} ${event.attempts[i]!}`);
        }
        return;
      case "TasksCancelled":
        for (let i = 0; i < event.tasks.length; i++) {
          const task = this.tasks.get(event.tasks[i]!);
          if (task !== undefined) task.cancelled = true;
        }
        return;
      case "ValuesReleased":
        for (const value of event.values) this.released.add(nameOf(value));
        return;
      case "ValueCopied":
        if (event.place === "hub") this.hubValues.add(nameOf(event.value));
        else this.nodes.get(event.place)?.values.add(nameOf(event.value));
        return;
      case "ValueLost":
        if (event.place === "hub") this.hubValues.delete(nameOf(event.value));
        else this.nodes.get(event.place)?.values.delete(nameOf(event.value));
        this.excuse(event.value.task);
        return;
      case "NodeLabels":
      case "NodeLink":
      case "NodeDistrusted":
      case "ValueGiven":
      case "ValuesWanted":
        // Virtual clients give no values of their own and want none: the scheduler's own tests do.
        return;
      case "DispatchPaused":
        this.paused = true;
        return;
      case "DispatchResumed":
        this.paused = false;
        return;
      case "SessionShare":
      case "Tick":
        return;
      default:
        event satisfies never;
    }
  }

  protected done(event: EventOf<"AttemptsDone">): void {
    const node = this.nodes.get(event.node);
    for (let i = 0; i < event.tasks.length; i++) {
      const id = event.tasks[i]!;
      this.free(event.node, id, event.attempts[i]!);
      const task = this.tasks.get(id);
      if (task === undefined || node === undefined) continue;
      task.live.delete(`${event.node} ${event.attempts[i]!}`);
      if (task.batch.keep === "node" && task.over !== "failed")
        for (let output = 0; output < (event.values?.[i]?.length ?? 0); output++)
          node.values.add(`${id}.${output}`);
    }
  }

  protected resume(event: EventOf<"NodeResumed">): void {
    const node = this.nodes.get(event.node);
    if (node === undefined) return;
    this.lose(event.node, node);
    node.reachable = true;
    node.held.clear();
    for (const ref of event.running) {
      node.held.set(`${ref.task} ${ref.attempt}`, ref);
      const task = this.tasks.get(ref.task);
      if (task?.over === "no") task.live.add(`${event.node} ${ref.attempt}`);
      else if (task !== undefined) task.excuses++;
    }
    const listed = new Set(event.values.map(({ value }) => nameOf(value)));
    for (const name of node.values) if (!listed.has(name)) this.excuse(Number(name.split(".")[0]));
    node.values.clear();
    for (const name of listed) node.values.add(name);
  }

  protected lose(id: string, node: NodeBook): void {
    if (!node.reachable) return;
    node.reachable = false;
    node.lostAt = this.now;
    for (const ref of node.held.values()) {
      const task = this.tasks.get(ref.task);
      if (task === undefined) continue;
      task.excuses++;
      if (task.live.delete(`${id} ${ref.attempt}`)) task.downs++;
    }
  }

  protected leave(id: string): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    this.lose(id, node);
    this.forgetValues(node);
    this.nodes.delete(id);
  }

  protected forgetValues(node: NodeBook): void {
    for (const name of node.values) this.excuse(Number(name.split(".")[0]));
    node.values.clear();
  }

  /** A value of it was lost: it may run once more, and so may those it was made from. */
  protected excuse(task: number): void {
    const seen = new Set([task]);
    for (const next of seen) {
      const book = this.tasks.get(next);
      if (book === undefined) continue;
      book.excuses++;
      for (const input of book.inputs) seen.add(input.task);
    }
  }

  protected free(node: string, task: number, attempt: number): void {
    this.nodes.get(node)?.held.delete(`${task} ${attempt}`);
  }
}
