// The laws of the scheduler, checked from outside: what goes in, what comes out, and books of our own. Throws when one is broken.
import type { Needs, SchedulerEffect, ValueRef } from "../scheduler/index.js";
import type { Brain } from "./brain.js";
import { Books, nameOf } from "./law-books.js";
import type { Event, EventOf, NodeBook, TaskBook } from "./law-books.js";

const MAX_ATTEMPTS_AT_ONCE = 3;
const NODES_DOWN = 3;
const MAX_REST_MS = 10_000;

type Look = ReturnType<NonNullable<Brain["look"]>>;

export class BrokenLaw extends Error {
  override readonly name = "BrokenLaw";
}

export class Laws extends Books {
  /** Sees one event and its effects. */
  readonly watch = (
    event: Event,
    effects: readonly SchedulerEffect<number>[],
    now: number,
    brain: Brain,
  ): void => {
    this.now = now;
    try {
      this.graces();
      this.before(event);
      for (const effect of effects) this.effect(effect, event);
      // Last: what lets a value go may be a failure that stands further back.
      for (const effect of effects)
        if (effect.type === "Release") for (const value of effect.values) this.release(effect.place, value);
      if (brain.nextTimer() <= now && event.type === "Tick") this.broken("a Tick left a timer that was due");
      this.progress(brain);
    } catch (error) {
      if (error instanceof BrokenLaw)
        error.message += `, at ${now} after ${JSON.stringify(event).slice(0, 400)}`;
      throw error;
    }
  };

  private broken(what: string): never {
    throw new BrokenLaw(what);
  }

  private effect(effect: SchedulerEffect<number>, event: Event): void {
    switch (effect.type) {
      case "Dispatch":
        for (const assignment of effect.assignments) this.dispatch(effect.node, assignment);
        return;
      case "Cancel":
        for (const { task: id, attempt } of effect.attempts) {
          if (this.nodes.get(effect.node)?.reachable === false)
            this.broken(`a cancel for ${effect.node}, which is away`);
          const task = this.tasks.get(id);
          if (task?.live.delete(`${effect.node} ${attempt}`) !== true) continue;
          task.excuses++;
          if (effect.why !== "attempt_timeout" || task.timedOut.has(`${effect.node} ${attempt}`)) continue;
          task.timedOut.add(`${effect.node} ${attempt}`);
          task.failures++;
        }
        return;
      case "Recall":
        for (const { task, attempt } of effect.attempts)
          if (this.nodes.get(effect.node)?.held.has(`${task} ${attempt}`) !== true)
            this.broken(`task ${task} recalled from ${effect.node}, which does not hold it`);
        return;
      case "Solved":
        for (const [i, id] of effect.tasks.entries()) {
          const task = this.tasks.get(id) ?? this.broken(`task ${id}, never submitted, was solved`);
          if (task.over !== "no") this.broken(`task ${id} was solved when it was ${task.over} already`);
          if (event.type !== "AttemptsDone" || event.tasks[effect.index[i]!] !== id)
            this.broken(`task ${id} was solved by an answer that is not its own`);
          if (this.nodes.get(effect.node)?.domain !== task.batch.domain)
            this.broken(`task ${id} crossed domains`);
          task.over = "solved";
          task.live.clear();
        }
        return;
      case "Failed":
        this.failed(effect);
        return;
      case "Quarantined":
        this.nodes.get(effect.node)!.quarantinedUntil = effect.untilMs;
        return;
      case "Release":
      case "Recomputed":
      case "ValuesGone":
        return;
      default:
        effect satisfies never;
    }
  }

  private dispatch(id: string, { task: number, attempt, inputs }: DispatchOf): void {
    const node = this.nodes.get(id) ?? this.broken(`task ${number} went to ${id}, which is not there`);
    const task = this.tasks.get(number) ?? this.broken(`task ${number}, never submitted, went to ${id}`);
    const bad = (why: string): never => this.broken(`task ${number} went to ${id}, ${why}`);
    if (this.paused) bad("while dispatch is paused");
    if (!node.reachable) bad("which is away");
    if (node.draining) bad("which is draining");
    if (node.quarantinedUntil > this.now) bad("which is in quarantine");
    if (node.domain !== task.batch.domain) bad("which is of another domain");
    if (!node.services.includes(task.batch.service)) bad("which does not offer its service");
    if (task.batch.needs !== undefined && !has(node.joined, task.batch.needs))
      bad("which has not what it needs");
    if (task.over === "failed" || (task.over === "solved" && task.batch.keep === "hub"))
      bad(`when it was ${task.over} already`);
    if (task.over === "no" && task.failures >= task.batch.maxAttempts)
      bad("after its last attempt had failed");
    if (task.live.size >= (task.batch.idempotent ? MAX_ATTEMPTS_AT_ONCE : 1)) bad("though it runs already");
    node.held.set(`${number} ${attempt}`, { task: number, attempt });
    if (node.held.size > node.window) bad("beyond its window");
    task.live.add(`${id} ${attempt}`);
    if (inputs.length !== task.inputs.length) bad("without all its inputs");
    for (const { value, places } of inputs) {
      if (places.length === 0) bad("with an input that is nowhere");
      for (const place of places)
        if (place !== "hub" && this.nodes.get(place)?.values.has(nameOf(value)) !== true)
          bad(`with an input that ${place} does not have`);
    }
    // As often as something went wrong, once more, and copies.
    if (++task.dispatches > 1 + task.excuses + (task.batch.idempotent ? 2 * (1 + task.excuses) : 0))
      bad(`for the ${task.dispatches}th time, with ${task.excuses} reasons to`);
  }

  private failed(effect: Extract<SchedulerEffect<number>, { type: "Failed" }>): void {
    const task = this.tasks.get(effect.task) ?? this.broken(`task ${effect.task}, never submitted, failed`);
    if (task.over !== "no") this.broken(`task ${effect.task} failed when it was ${task.over} already`);
    task.over = "failed";
    const spent = task.finalFailure || task.failures >= task.batch.maxAttempts;
    const fair: Record<string, boolean> = {
      cancelled: task.cancelled,
      deadline: task.batch.deadlineAt <= this.now || task.batch.failEarly === true,
      node_lost: task.downs >= NODES_DOWN,
      input_failed: task.inputs.length > 0,
    };
    if (!(fair[effect.code] ?? spent))
      this.broken(`task ${effect.task} failed with ${effect.code} for no reason`);
    task.live.clear();
  }

  private release(place: string, value: ValueRef): void {
    const name = nameOf(value);
    const maker = this.tasks.get(value.task);
    if (maker !== undefined && maker.over !== "failed") {
      if (!this.released.has(name)) this.broken(`value ${name} was let go though somebody may ask for it`);
      for (const [id, task] of this.tasks)
        if (task.over === "no" && task.inputs.some((input) => nameOf(input) === name))
          this.broken(`value ${name} was let go though task ${id} needs it`);
    }
    if (place === "hub") this.hubValues.delete(name);
    else this.nodes.get(place)?.values.delete(name);
  }

  /** Every open task is on its way: it runs, or waits for something that will come. */
  private progress(brain: Brain): void {
    if (brain.look === undefined) return;
    const idle = this.paused ? [] : [...this.nodes].filter(([, node]) => this.hasFreeSlot(node));
    let open = false;
    for (const [number, task] of this.tasks) {
      if (task.over !== "no") continue;
      open = true;
      if (task.batch.deadlineAt < this.now) this.broken(`task ${number} is open after its deadline`);
      const look = brain.look(number);
      if (look.state !== "resting") task.restingSince = -1;
      switch (look.state) {
        case "running":
          if (task.live.size === 0) this.broken(`task ${number} is taken to run, and nobody runs it`);
          break;
        case "resting":
          if (task.restingSince < 0) task.restingSince = this.now;
          if (this.now - task.restingSince > MAX_REST_MS) this.broken(`task ${number} rests for ever`);
          break;
        case "blocked":
          this.blocked(number, task, brain);
          break;
        case "ready":
          this.ready(number, task, look, idle);
          break;
        default:
          this.broken(`task ${number} is open, and the scheduler says it is ${look.state}`);
      }
    }
    if (
      open &&
      !this.paused &&
      idle.length > 0 &&
      brain.counts().waiting > 0 &&
      brain.nextTimer() === Infinity
    )
      for (const [number, task] of this.tasks)
        if (task.over === "no" && brain.look(number).heldUntil > 0)
          this.broken(`task ${number} is held back for ever`);
  }

  private hasFreeSlot(node: NodeBook): boolean {
    return (
      node.reachable &&
      !node.draining &&
      node.quarantinedUntil <= this.now &&
      node.held.size < Math.min(node.window, node.joined.slots)
    );
  }

  /** No task is ready while a capable node has a free slot, unless it is held back for a better one, and that not for ever. */
  private ready(number: number, task: TaskBook, look: Look, idle: readonly [string, NodeBook][]): void {
    if (task.live.size > 0) this.broken(`task ${number} runs, and is taken to wait`);
    if (look.heldUntil > 0 && look.heldUntil < this.now)
      this.broken(`task ${number} is held back for too long`);
    if (look.heldUntil > 0 || look.full) return;
    for (const [id, node] of idle) {
      const { batch } = task;
      if (node.domain !== batch.domain || !node.services.includes(batch.service) || look.avoids.includes(id))
        continue;
      if (batch.needs === undefined || has(node.joined, batch.needs))
        this.broken(`task ${number} waits though ${id} is idle`);
    }
  }

  /** A task waits for inputs only if each is on its way: somewhere, or to be made. */
  private blocked(number: number, task: TaskBook, brain: Brain): void {
    for (const input of task.inputs) {
      const maker = this.tasks.get(input.task);
      if (maker === undefined || maker.over !== "solved" || maker.batch.keep === "hub") continue;
      const name = nameOf(input);
      if (this.hubValues.has(name) || [...this.nodes.values()].some((node) => node.values.has(name)))
        continue;
      const { state } = brain.look!(input.task);
      if (state === "solved" || state === "failed" || state === "unknown")
        this.broken(`task ${number} waits for value ${name}, which is lost and is not being made again`);
    }
  }
}

type DispatchOf = Extract<SchedulerEffect<number>, { type: "Dispatch" }>["assignments"][number];

function has(node: EventOf<"NodeJoined">, { memoryMb = 0, provider, labels = [] }: Needs): boolean {
  return (
    (node.memoryMb ?? 0) >= memoryMb &&
    (provider === undefined || node.providers?.includes(provider) === true) &&
    labels.every((label) => node.labels?.includes(label) === true)
  );
}
