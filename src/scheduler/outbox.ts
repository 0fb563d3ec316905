// Collects the effects of one event, one Dispatch and Cancel per node, and keeps the digest of all decisions so far.
import type { AttemptFailure, NodeId, TaskId } from "../ids/index.js";
import type { Assignment, AttemptRef, Place, SchedulerEffect, ValueRef } from "./events.js";
import type { Node } from "./node.js";
import type { Attempt, Task } from "./task.js";

export type CancelWhy = Extract<SchedulerEffect<unknown>, { type: "Cancel" }>["why"];
const NO_INPUTS: Assignment<never>["inputs"] = Object.freeze([]);
/** Marks each kind of decision in the digest. */
const MARK = {
  dispatch: 1,
  cancel: 2,
  recall: 3,
  solved: 4,
  failed: 5,
  quarantined: 6,
  release: 7,
  recomputed: 8,
  gone: 9,
} as const;

export class Outbox<Tag> {
  private effects: SchedulerEffect<Tag>[] = [];
  /** Each node that is in here knows its position, by `outboxAt`. */
  private readonly receivers: Node[] = [];
  private readonly dispatches: Assignment<Tag>[][] = [];
  private readonly cancels = new Map<string, AttemptRef[]>();
  private readonly recalls = new Map<Node, AttemptRef[]>();
  private readonly releases = new Map<Place, ValueRef[]>();
  private low: number;
  private high: number;
  decisions = 0;

  constructor(
    private readonly maxDispatch: number,
    seed: number,
  ) {
    this.low = 0x811c9dc5 ^ seed;
    this.high = 0x9747b28c ^ Math.imul(seed, 0x85ebca6b);
  }

  dispatch(attempt: Attempt): void {
    const { task, node } = attempt;
    this.note(MARK.dispatch, task.id, node.serial);
    this.note(MARK.dispatch, attempt.number, 0);
    this.decisions++;
    const inputs = task.data?.inputs;
    if (node.outboxAt < 0) {
      node.outboxAt = this.receivers.length;
      this.receivers.push(node);
      this.dispatches.push([]);
    }
    this.dispatches[node.outboxAt]!.push({
      task: task.id,
      attempt: attempt.number,
      // Only batches of this Tag come in, so what a task carries is one.
      tag: task.tag as Tag,
      service: task.batch.service,
      attemptTimeoutMs: attempt.timeoutMs,
      inputs:
        inputs === undefined || inputs.length === 0
          ? NO_INPUTS
          : inputs.map((value) => ({ value: value.ref, places: value.places() })),
    });
  }

  /** Before all other effects of the event: these may be failures and releases that follow from it. */
  solved(node: Node, tasks: TaskId[], tags: unknown[], index: number[]): void {
    for (let i = 0; i < tasks.length; i++) this.note(MARK.solved, tasks[i]!, node.serial);
    this.effects.unshift({ type: "Solved", node: node.id, tasks, tags: tags as Tag[], index });
  }

  failed(task: Task, code: string, message: string, reasons: readonly AttemptFailure[]): void {
    this.note(MARK.failed, task.id, reasons.length);
    for (let i = 0; i < code.length; i++) this.note(MARK.failed, code.charCodeAt(i), i);
    this.effects.push({ type: "Failed", task: task.id, tag: task.tag as Tag, code, message, reasons });
  }

  recomputed(tasks: TaskId[], tags: unknown[]): void {
    for (const task of tasks) this.note(MARK.recomputed, task, 0);
    this.effects.push({ type: "Recomputed", tasks, tags: tags as Tag[] });
  }

  gone(task: Task, message: string): void {
    this.note(MARK.gone, task.id, 0);
    const reasons = task.trouble?.reasons ?? [];
    this.effects.push({ type: "ValuesGone", task: task.id, tag: task.tag as Tag, message, reasons });
  }

  cancel(nodeId: NodeId, why: CancelWhy, task: TaskId, attempt: number): void {
    this.note(MARK.cancel, task, attempt);
    const key = `${why} ${nodeId}`;
    let list = this.cancels.get(key);
    if (list === undefined) {
      this.cancels.set(key, (list = []));
      this.effects.push({ type: "Cancel", node: nodeId, attempts: list, why });
    }
    list.push({ task, attempt });
  }

  recall(attempt: Attempt): void {
    this.note(MARK.recall, attempt.task.id, attempt.number);
    const node = attempt.node;
    let list = this.recalls.get(node);
    if (list === undefined) {
      this.recalls.set(node, (list = []));
      this.effects.push({ type: "Recall", node: node.id, attempts: list });
    }
    list.push({ task: attempt.task.id, attempt: attempt.number });
  }

  quarantined(node: Node, untilMs: number, why: string): void {
    this.note(MARK.quarantined, node.serial, untilMs);
    this.effects.push({ type: "Quarantined", node: node.id, untilMs, why });
  }

  release(place: Place, value: ValueRef): void {
    this.note(MARK.release, value.task, value.output);
    let list = this.releases.get(place);
    if (list === undefined) {
      this.releases.set(place, (list = []));
      this.effects.push({ type: "Release", place, values: list });
    }
    list.push(value);
  }

  /** Everything since the last call, what frees nodes before what fills them. */
  flush(): SchedulerEffect<Tag>[] {
    const effects = this.effects;
    this.effects = [];
    for (const node of this.receivers) {
      const list = this.dispatches[node.outboxAt]!;
      node.outboxAt = -1;
      for (let at = 0; at < list.length; at += this.maxDispatch)
        effects.push({
          type: "Dispatch",
          node: node.id,
          assignments: list.length <= this.maxDispatch ? list : list.slice(at, at + this.maxDispatch),
        });
    }
    this.receivers.length = 0;
    this.dispatches.length = 0;
    if (this.cancels.size > 0) this.cancels.clear();
    if (this.recalls.size > 0) this.recalls.clear();
    if (this.releases.size > 0) this.releases.clear();
    return effects;
  }

  digest(): string {
    return [this.high, this.low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** Two multiplicative hashes side by side: for comparing runs, not against an adversary. */
  private note(mark: number, a: number, b: number): void {
    const wide = Math.floor(a / 0x100000000);
    this.low = Math.imul(Math.imul(this.low ^ mark ^ (a | 0), 0x01000193) ^ b, 0x01000193) ^ wide;
    this.high = Math.imul(
      ((this.high << 13) | (this.high >>> 19)) + (a | 0) + Math.imul(b, 31) + mark,
      0x85ebca6b,
    );
  }
}
