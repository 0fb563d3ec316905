// What nodes answer: solutions, uploaded or not, failures, and their reading of the payloads of what they hold.
import { FlockworkError, type TaskId } from "../ids/index.js";
import type { MessageOf } from "../wire/index.js";
import { wallClock, type Answers, type HubCore, type HubParts } from "./core.js";
import { Job } from "./jobs.js";
import type { NodeView } from "./node-view.js";
import { payloadsFor } from "./dispatch.js";

export class NodeAnswers {
  readonly #core: HubCore;
  readonly #parts: HubParts;
  /** What nodes have said of jobs that are not admitted yet: the last word of each. */
  readonly #waiting = new WeakMap<Job, Map<NodeView, () => void>>();

  constructor(core: HubCore, parts: HubParts) {
    this.#core = core;
    this.#parts = parts;
  }

  solved(view: NodeView, message: MessageOf<"solved">): void {
    const n = message.tasks.length;
    if (message.kinds.length !== n || message.ms.length !== n)
      throw new FlockworkError(
        "bad_message",
        `"solved" names ${n} tasks but ${message.kinds.length} payloads.`,
      );
    const { tasks, attempts, ms } = message;
    this.checkGiven(view, tasks);
    if (this.#waits(view, tasks, () => this.solved(view, message))) return;
    const answers = this.#claim(view, message);
    // An upload that is not here is sent anew, and its answer with it.
    if (answers === undefined) return;
    for (const task of tasks) view.given.delete(task);
    const { counters } = this.#parts;
    const before = counters.solved;
    this.#core.handle({ type: "AttemptsDone", node: view.id, tasks, attempts, ms }, answers);
    counters.superseded += n - (counters.solved - before);
    this.#core.clients.confirm(view, answers);
  }

  failed(view: NodeView, message: MessageOf<"failed">): void {
    if (this.#waits(view, [message.task], () => this.failed(view, message))) return;
    view.failed++;
    view.given.delete(message.task);
    this.#parts.counters.attemptsFailed++;
    this.#tell(view, message);
    if (!this.#core.graphs.nodes.failed(view, message))
      this.#core.handle({ type: "AttemptFailed", node: view.id, ...message, task: message.task as TaskId });
    view.peer?.send({
      t: "stored",
      tasks: Float64Array.of(message.task),
      attempts: Uint16Array.of(message.attempt),
    });
  }

  /** Whether one of these tasks is not admitted yet: what a node says last of it is looked at, by `later`, once it is. */
  #waits(view: NodeView, tasks: ArrayLike<number>, later: () => void): boolean {
    const job = this.#early(tasks);
    if (job?.early === undefined) return false;
    const waiting = this.#waiting.get(job) ?? new Map<NodeView, () => void>();
    this.#waiting.set(job, waiting);
    const first = !waiting.has(view);
    waiting.set(view, later);
    if (first)
      void job.early.then(() => {
        try {
          waiting.get(view)?.();
        } catch (error) {
          // It may have given the task back meanwhile. Nobody else is there to answer it, as for what comes in a frame.
          if (!(error instanceof FlockworkError))
            this.#parts.log.error({ err: error }, "a message met a bug");
          else view.peer?.send({ t: "notice", code: error.code, message: error.message, fatal: false });
        }
      });
    return true;
  }

  #early(tasks: ArrayLike<number>): Job | undefined {
    if (this.#core.clients.admission.early.size === 0) return undefined;
    for (let i = 0; i < tasks.length; i++) {
      const tag = this.#core.scheduler.task(tasks[i] as TaskId)?.tag;
      if (tag instanceof Job && tag.early !== undefined) return tag;
    }
    return undefined;
  }

  /** To those who watch. */
  #tell(view: NodeView, { task, attempt, code, message }: MessageOf<"failed">): void {
    const { scheduler } = this.#core;
    for (const run of scheduler.running(view.id))
      if (run.task === task && run.attempt === attempt)
        this.#parts.watch.attemptFailed(view, run, { code, message }, wallClock() - run.startedAt);
  }

  /** A payload of a task that the node holds. */
  fetch(view: NodeView, message: MessageOf<"fetch">): void {
    const { id, of } = message;
    if (!("task" in of)) {
      this.#core.graphs.nodes.fetch(view, message);
      return;
    }
    const task = this.#core.scheduler.task(of.task as TaskId);
    const tag = task?.nodes.includes(view.id) ? task.tag : undefined;
    const source = tag instanceof Job ? payloadsFor(tag)[of.index] : undefined;
    const blob = source?.segment.blobs?.get(source.index);
    if (blob !== undefined && view.peer !== undefined) this.#parts.transfers.fetch(view.peer, message, blob);
    else
      view.peer?.send({
        t: "broken",
        id,
        code: "bad_argument",
        message: "There is no payload to be fetched here for a task that this node holds.",
      });
  }

  /** Throws for a task that waits for its answer, but not for one of this node's. What is over may be answered late. */
  checkGiven({ given }: NodeView, tasks: ArrayLike<number>): void {
    for (let i = 0; i < tasks.length; i++) {
      const task = tasks[i]!;
      if (given.has(task)) continue;
      const state = this.#core.scheduler.task(task as TaskId)?.state;
      if (state !== undefined && state !== "solved" && state !== "failed")
        throw new FlockworkError("bad_message", `This node answers task ${task}, which it was not given.`);
    }
  }

  /** An answer that was uploaded comes alone. Undefined where the upload is not here: the node hears of it. */
  #claim(view: NodeView, message: MessageOf<"solved">): Answers | undefined {
    const { streams, ...answers } = message;
    view.solved += answers.tasks.length;
    const first = streams?.[0];
    if (first === undefined) return answers;
    if (answers.tasks.length !== 1)
      throw new FlockworkError(
        "bad_message",
        `An uploaded answer comes alone, not with ${answers.tasks.length - 1} others.`,
      );
    try {
      const { hash, bytes } = this.#parts.transfers.claim(view, first[1]);
      return { ...answers, blobs: [[0, hash, bytes]] };
    } catch (error) {
      if (!(error instanceof FlockworkError)) throw error;
      view.solved--;
      view.peer?.send({ t: "broken", id: first[1], code: error.code, message: error.message });
      return undefined;
    }
  }
}
