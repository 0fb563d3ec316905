// For tests: short ways to say events, and to ask what the effects held.
import type { Domain, NodeId, SessionId, TaskId } from "../ids/index.js";
import type { SchedulerEffect, SchedulerEvent, SchedulerOptions, TaskBatch, ValueRef } from "./events.js";
import { Scheduler } from "./scheduler.js";

type Effect = SchedulerEffect<string>;
type EventOf<Type> = Extract<SchedulerEvent<string>, { readonly type: Type }>;
export type EffectOf<Type> = Extract<Effect, { readonly type: Type }>;

export const task = (id: number) => id as TaskId;
export const node = (id: string) => id as NodeId;
export const ref = (id: number, output = 0): ValueRef => ({ task: task(id), output });

export class Rig {
  readonly scheduler: Scheduler<string>;
  now = 0;
  /** Effects of the last event. */
  last: Effect[] = [];

  constructor(options: Partial<SchedulerOptions> = {}, seed = 1) {
    this.scheduler = new Scheduler(options, seed);
  }

  send(event: SchedulerEvent<string>): this {
    this.last = this.scheduler.handle(event, this.now);
    return this;
  }

  join(id: string, more: Partial<EventOf<"NodeJoined">> = {}): this {
    const slots = more.slots ?? 1;
    const rest = { domain: "166" as Domain, slots, window: slots, services: ["s"] };
    return this.send({ type: "NodeJoined", node: node(id), ...rest, ...more });
  }

  submit(first: number, count = 1, more: Partial<TaskBatch<string>> = {}): this {
    return this.send({
      type: "TasksSubmitted",
      batch: {
        first: task(first),
        tags: Array.from({ length: count }, (_, i) => `t${first + i}`),
        domain: "166" as Domain,
        session: "main" as SessionId,
        service: "s",
        priority: 0,
        maxAttempts: 5,
        attemptTimeoutMs: 0,
        deadlineAt: Infinity,
        idempotent: false,
        keep: "hub",
        ...more,
      },
    });
  }

  done(id: string, tasks: number[], attempts = tasks.map(() => 1), values?: number[][]): this {
    return this.send({ type: "AttemptsDone", node: node(id), tasks, attempts, values });
  }

  fail(id: string, failed: number, attempt = 1, retry = true, code = "service_error"): this {
    const what = { task: task(failed), attempt, code, message: "boom", retry };
    return this.send({ type: "AttemptFailed", node: node(id), ...what });
  }

  drop(id: string, tasks: number[], attempts = tasks.map(() => 1)): this {
    return this.send({ type: "AttemptsDropped", node: node(id), tasks, attempts });
  }

  resume(id: string, running: [number, number][] = [], values: [ValueRef, number][] = []): this {
    return this.send({
      type: "NodeResumed",
      node: node(id),
      running: running.map(([t, attempt]) => ({ task: task(t), attempt })),
      values: values.map(([value, bytes]) => ({ value, bytes })),
    });
  }

  lose(id: string): this {
    return this.send({ type: "NodeUnreachable", node: node(id) });
  }

  drain(id: string): this {
    return this.send({ type: "NodeDraining", node: node(id) });
  }

  leave(id: string): this {
    return this.send({ type: "NodeLeft", node: node(id) });
  }

  cancel(...tasks: number[]): this {
    return this.send({ type: "TasksCancelled", tasks });
  }

  /** Time passes; the effects of all timers on the way are gathered. */
  wait(ms: number): this {
    const end = this.now + ms;
    const all: Effect[] = [];
    while (this.scheduler.nextTimer() <= end) {
      this.now = Math.max(this.now, this.scheduler.nextTimer());
      all.push(...this.send({ type: "Tick" }).last);
    }
    this.now = end;
    this.last = all;
    return this;
  }

  effects<Type extends Effect["type"]>(type: Type): EffectOf<Type>[] {
    return this.last.filter((e): e is EffectOf<Type> => e.type === type);
  }

  /** "node:task.attempt" of each assignment. */
  get dispatched(): string[] {
    return this.effects("Dispatch").flatMap((e) =>
      e.assignments.map((a) => `${e.node}:${a.task}.${a.attempt}`),
    );
  }

  /** "node:task.attempt why" of each cancel. */
  get cancelled(): string[] {
    return this.effects("Cancel").flatMap((e) =>
      e.attempts.map((a) => `${e.node}:${a.task}.${a.attempt} ${e.why}`),
    );
  }

  get recalled(): string[] {
    return this.effects("Recall").flatMap((e) => e.attempts.map((a) => `${e.node}:${a.task}.${a.attempt}`));
  }

  get solved(): number[] {
    return this.effects("Solved").flatMap((e) => [...e.tasks]);
  }

  /** "task code" of each failure. */
  get failed(): string[] {
    return this.effects("Failed").map((e) => `${e.task} ${e.code}`);
  }

  get released(): string[] {
    return this.effects("Release").flatMap((e) => e.values.map((v) => `${e.place}:${v.task}.${v.output}`));
  }
}
