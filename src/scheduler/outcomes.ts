// What becomes of tasks: submitted, solved, failed and tried again, cancelled, out of time. Placement is elsewhere.
import type { NodeId, TaskId } from "../ids/index.js";
import type { Availability } from "./availability.js";
import type { Core } from "./core.js";
import type { FoundValue, SchedulerEvent, TaskBatch } from "./events.js";
import type { Group } from "./group.js";
import type { Lineage } from "./lineage.js";
import type { Node } from "./node.js";
import type { CancelWhy } from "./outbox.js";
import { CLASSES, learn, speedOfClass } from "./speed.js";
import * as T from "./task.js";
import { Batch, Task, Trouble } from "./task.js";

type EventOf<Tag, Type> = Extract<SchedulerEvent<Tag>, { readonly type: Type }>;

/** How often an answer's duration is remembered: every one of a small answer, few of a large one. */
const SAMPLE_EVERY = 64;

/** Closer to a deadline than this, whether it can be met is not looked at again. */
const LEAST_LOOK_MS = 10;

export class Outcomes<Tag> {
  constructor(
    private readonly core: Core<Tag>,
    private readonly lineage: Lineage<Tag>,
    private readonly availability: Availability<Tag>,
  ) {}

  submit(from: TaskBatch<Tag>): void {
    const size = from.tags.length;
    if (size === 0) return;
    const core = this.core;
    const group = core.group(from.domain, from.service, from.needs);
    if (from.expectedMs !== undefined) group.durations.guess(from.expectedMs);
    const batch = new Batch(from, group, group.level(core.share(from.session), from.priority));
    for (let i = 0; i < size; i++) {
      const id = (from.first + i) as TaskId;
      // Sent again after a lost acknowledgement: it is the same task.
      if (core.tasks.get(id) !== undefined) continue;
      const task = new Task(id, from.tags[i], batch);
      core.enter(task);
      const refs = from.inputs?.[i];
      if (refs !== undefined && refs.length > 0) this.lineage.link(task, refs);
      const found = from.found?.[i];
      if (found !== undefined) this.find(task, found);
      else core.ready(task, false);
    }
    if (batch.open === 0) {
      group.tidy(batch.level.turn);
      core.dropShare(batch.level.turn.share);
      core.dropGroup(group);
    } else if (from.deadlineAt < Infinity) this.deadline(batch);
  }

  /** A task that was solved before this hub knew of it. */
  private find(task: Task, found: readonly FoundValue[]): void {
    task.told = true;
    this.core.leave(task, T.DONE);
    this.lineage.found(task, found);
  }

  done(event: EventOf<Tag, "AttemptsDone">): void {
    const { core } = this;
    const node = core.nodes.get(event.node);
    if (node === undefined) return;
    const solved: TaskId[] = [];
    const tags: unknown[] = [];
    const index: number[] = [];
    const again: Task[] = [];
    for (let i = 0; i < event.tasks.length; i++) {
      const task = core.tasks.get(event.tasks[i]!);
      if (task === undefined || task.batch.domain !== node.pool.domain) {
        this.lineage.unwanted(event.tasks[i]! as TaskId, node, event.values?.[i]);
        continue;
      }
      const attempt = task.attemptAt(node, event.attempts[i]!);
      let ms = event.ms?.[i];
      if (attempt !== null) {
        if (attempt.started) ms ??= core.now - attempt.startedAt;
        core.free(attempt);
      }
      if (!task.open) {
        if (task.state === T.DONE) this.lineage.producedAgain(task, node, event.values?.[i]);
        else this.lineage.unwanted(task.id, node, event.values?.[i]);
        this.lineage.consider(task);
        continue;
      }
      const group = task.batch.group;
      if (i % SAMPLE_EVERY === 0 && ms !== undefined) {
        group.sample(ms);
        learn(group, task.batch.level.turn, node, ms);
      }
      node.streak = 0;
      group.failing = null;
      group.severalFail = false;
      if (!task.told) {
        task.told = true;
        solved.push(task.id);
        tags.push(task.tag);
        index.push(i);
      } else again.push(task);
      this.cancelAttempts(task, "superseded");
      core.leave(task, T.DONE);
      if (task.data === null && task.batch.keep === "hub") {
        if (task.attempts === null) core.forget(task);
      } else this.lineage.produced(task, node, event.values?.[i], event.atHub?.[i]);
    }
    if (again.length > 0)
      core.outbox.recomputed(
        again.map(({ id }) => id),
        again.map(({ tag }) => tag),
      );
    if (solved.length > 0) core.outbox.solved(node, solved, tags, index);
  }

  attemptFailed(event: EventOf<Tag, "AttemptFailed">): void {
    const { core } = this;
    const node = core.nodes.get(event.node);
    const task = core.tasks.get(event.task);
    const attempt = node === undefined ? null : (task?.attemptAt(node, event.attempt) ?? null);
    if (node === undefined || task === undefined || attempt === null) return;
    const counts = attempt.state !== T.ZOMBIE;
    core.free(attempt);
    if (counts && task.open) this.failAttempt(task, node, event.code, event.message, event.retry);
    else this.lineage.consider(task);
  }

  dropped(event: EventOf<Tag, "AttemptsDropped">): void {
    const { core } = this;
    const node = core.nodes.get(event.node);
    if (node === undefined) return;
    // From the last to the first, so that what returns to the front of its queue keeps its order.
    for (let i = event.tasks.length - 1; i >= 0; i--) {
      const task = core.tasks.get(event.tasks[i]!);
      const attempt = task?.attemptAt(node, event.attempts[i]!) ?? null;
      if (task === undefined || attempt === null) continue;
      core.free(attempt);
      this.backToReady(task);
    }
  }

  /** After an attempt has gone without counting: if nobody runs the task now, somebody may. */
  backToReady(task: Task): void {
    if (task.state === T.RUNNING && !task.hasLiveAttempt) this.tryAgain(task, true);
    else if (!task.open) this.lineage.consider(task);
  }

  cancel(tasks: ArrayLike<number>): void {
    for (let i = 0; i < tasks.length; i++) {
      const task = this.core.tasks.get(tasks[i]!);
      if (task?.open === true && !task.told)
        this.fail(task, "cancelled", `${named(task)} was cancelled`, "cancelled");
    }
  }

  /** The node was lost while it ran the task. False when that was once too often. */
  nodeLost(task: Task, nodeId: NodeId): boolean {
    const trouble = (task.trouble ??= new Trouble());
    trouble.downs++;
    trouble.reasons.push({
      node: nodeId,
      code: "node_lost",
      message: "the node went away while it ran the task",
    });
    if (trouble.downs < this.core.options.maxNodesTakenDown) return true;
    const message = `${named(task)} has been running on ${trouble.downs} nodes in a row when they went away; the last was ${nodeId}`;
    this.fail(task, "node_lost", message, "superseded");
    return false;
  }

  /** The node that was lost is back as itself: the task did not take it down. */
  nodeFound(task: Task, nodeId: NodeId): void {
    const trouble = task.trouble;
    if (trouble === null) return;
    trouble.downs = Math.max(0, trouble.downs - 1);
    const at = trouble.reasons.findLastIndex((r) => r.node === nodeId && r.code === "node_lost");
    if (at >= 0) trouble.reasons.splice(at, 1);
  }

  /** Attempts, rests and deadlines that are over by now. */
  tick(): void {
    const { core } = this;
    while (core.attemptTimers.topKey() <= core.now) {
      const attempt = core.attemptTimers.top()!;
      const { task, node } = attempt;
      core.cancel(attempt, "attempt_timeout");
      const message = `one attempt took longer than ${attempt.timeoutMs} ms`;
      this.failAttempt(task, node, "attempt_timeout", message, true);
    }
    while (core.restTimers.topKey() <= core.now) this.wakeRested(core.restTimers.top()!);
    while (core.deadlines.topKey() <= core.now) {
      const batch = core.deadlines.top()!;
      core.deadlines.remove(batch);
      this.deadline(batch);
    }
  }

  /** Fails what cannot get its inputs, and what needed that, until none is left. */
  sweep(): void {
    const { doomed } = this.lineage;
    for (let i = 0; i < doomed.length; i++) {
      const { task, message, reasons } = doomed[i]!;
      if (!task.open) continue;
      (task.trouble ??= new Trouble()).reasons.push(...reasons);
      this.fail(task, "input_failed", `${named(task)} ${message}`, "cancelled");
    }
    doomed.length = 0;
  }

  /** Fails what is too late, and what will be, if that is asked for; or sees to it that this is looked at in time. */
  private deadline(batch: Batch): void {
    const { core } = this;
    const left = batch.deadlineAt - core.now;
    if (left <= 0) {
      this.expire(batch, "was not solved before its deadline", false);
      return;
    }
    let next = batch.deadlineAt;
    if (batch.failEarly) {
      const takes = quickest(batch.group);
      if (takes > left)
        this.expire(
          batch,
          `can not be solved before its deadline: that is ${Math.round(left)} ms away, and the fastest node takes ${Math.round(takes)} ms`,
          true,
        );
      // What is known of durations and nodes changes: looked at again half-way, and half-way again.
      else if (left > LEAST_LOOK_MS) next = Math.min(next - takes, core.now + left / 2);
    }
    if (batch.open > 0) core.deadlines.set(batch, Math.max(next, Math.min(batch.deadlineAt, core.now + 1)));
  }

  private expire(batch: Batch, why: string, waiting: boolean): void {
    for (let i = 0; i < batch.size && batch.open > 0; i++) {
      const task = this.core.tasks.get(batch.first + i);
      if (task?.batch !== batch || !task.open || task.told || (waiting && task.state === T.RUNNING)) continue;
      this.fail(task, "deadline", `${named(task)} ${why}`, "deadline");
    }
  }

  private failAttempt(task: Task, node: Node, code: string, message: string, retry: boolean): void {
    const trouble = (task.trouble ??= new Trouble());
    trouble.reasons.push({ node: node.id, code, message });
    trouble.downs = 0;
    trouble.failed++;
    if (!trouble.failedOn.includes(node)) trouble.failedOn.push(node);
    if (retry) this.blame(node, task);
    if (!retry) {
      this.fail(
        task,
        code,
        `${named(task)} failed on ${node.id}, not to be tried again: ${message}`,
        "superseded",
      );
    } else if (task.state === T.RUNNING && !task.hasLiveAttempt) this.tryAgain(task, false);
  }

  /** Nobody runs the task any more: it is tried again, unless that was its last attempt. `anywhere`: at once,
   *  even if that is where it failed. */
  tryAgain(task: Task, anywhere: boolean): void {
    const { core } = this;
    const { trouble } = task;
    if (trouble !== null && trouble.failed >= task.batch.maxAttempts) {
      const last = trouble.reasons.findLast((reason) => reason.code !== "node_lost")!;
      const tries = trouble.failed === 1 ? "its only attempt" : `${trouble.failed} attempts`;
      const message = `${named(task)} failed after ${tries}; the last on ${last.node}: ${last.message}`;
      this.fail(task, last.code, message, "superseded");
    } else if (anywhere || core.othersThan(trouble!.failedOn, task.batch.group)) core.ready(task, true);
    else core.backOff(task);
  }

  private wakeRested(task: Task): void {
    this.core.unqueue(task);
    this.core.ready(task, true);
  }

  private fail(task: Task, code: string, message: string, why: CancelWhy): void {
    const { core } = this;
    this.cancelAttempts(task, why);
    // A task that is run again for a value it has lost was told as solved long ago, and may have others still.
    core.leave(task, task.told ? T.DONE : T.OVER);
    if (!task.told) core.outbox.failed(task, code, message, task.trouble?.reasons ?? []);
    else if (task.data?.outputs.some((value) => value?.wanted === true && value.lost) === true)
      core.outbox.gone(task, message);
    task.told = true;
    this.lineage.ended(task);
  }

  private cancelAttempts(task: Task, why: CancelWhy): void {
    for (let a = task.attempts; a !== null; a = a.sibling) this.core.cancel(a, why);
  }

  /** Quarantine for a node that somebody has found out. */
  distrust(node: Node, forMs: number, why: string): void {
    this.availability.quarantine(node, Math.max(node.quarantinedUntil, this.core.now + forMs));
    this.core.outbox.quarantined(node, node.quarantinedUntil, why);
  }

  /** Quarantine for a node that fails task after task, unless others fail them as well, or there are no others. */
  private blame(node: Node, task: Task): void {
    const { core } = this;
    const group = task.batch.group;
    if (group.failing === null) group.failing = node;
    else if (group.failing !== node) group.severalFail = true;
    if (node.lastFailed !== task.id) node.streak++;
    node.lastFailed = task.id;
    const { quarantineAfter, quarantineMs } = core.options;
    if (node.streak < quarantineAfter || !node.available || group.severalFail || group.available < 2) return;
    const streak = node.streak;
    node.streak = 0;
    this.availability.quarantine(node, core.now + quarantineMs);
    core.outbox.quarantined(node, node.quarantinedUntil, `${streak} tasks in a row failed on it`);
  }
}

/** Milliseconds that the group's mean task takes on its fastest node; 0: not known. */
function quickest(group: Group): number {
  if (!group.durations.tell) return 0;
  for (let c = CLASSES - 1; c >= 0; c--)
    for (const { pool } of group.offers)
      if (pool.slotsIn[c]! > 0) return group.durations.work / speedOfClass(c);
  return 0;
}

function named(task: Task): string {
  return `task ${task.id} ("${task.batch.service}")`;
}
