// Tasks that never run here, and stand for values that come from elsewhere: solved and forgotten, known to a node only, given
// by a client.
import type { Domain, SessionId, TaskId } from "../ids/index.js";
import type { Core } from "./core.js";
import type { ValueRef } from "./events.js";
import * as T from "./task.js";
import { Batch, dataOf, Task } from "./task.js";
import { Value } from "./value.js";

export class StandIns<Tag> {
  constructor(private readonly core: Core<Tag>) {}

  /** A task not known here was solved before and forgotten: its solution is at the hub. */
  foreign(id: TaskId, domain: Domain): Task {
    const task = new Task(id, undefined, this.batch(this.core.foreign, id, domain, "hub"));
    task.told = true;
    dataOf(task).barren = true;
    this.add(task, T.DONE);
    return task;
  }

  /** Stands for a task that only a node knows of, until that node has let go of it. */
  ghost(id: TaskId, domain: Domain): Task {
    const task = this.foreign(id, domain);
    task.told = false;
    this.core.setState(task, T.OVER);
    return task;
  }

  /** A value that no task makes. */
  given({ task: id, output }: ValueRef, domain: Domain, bytes: number): void {
    if (this.core.tasks.get(id) !== undefined) return;
    const task = new Task(id, undefined, this.batch(this.core.givens, id, domain, "node"));
    task.told = true;
    const data = dataOf(task);
    data.barren = true;
    const value = (data.outputs[output] = new Value(task, output));
    value.bytes = bytes;
    value.atHub = true;
    this.add(task, T.DONE);
  }

  /** The batch of a domain's stand-ins. */
  private batch(batches: Map<Domain, Batch>, first: TaskId, domain: Domain, keep: "hub" | "node"): Batch {
    let batch = batches.get(domain);
    if (batch === undefined) {
      const group = this.core.group(domain, "");
      const level = group.level(this.core.share("" as SessionId), 0);
      const shape = { first, tags: [], domain, session: level.turn.share.session, service: "", priority: 0 };
      const limits = { maxAttempts: 1, attemptTimeoutMs: 0, deadlineAt: Infinity, idempotent: false };
      batch = new Batch({ ...shape, ...limits, keep }, group, level);
      batches.set(domain, batch);
    }
    return batch;
  }

  private add(task: Task, state: number): void {
    task.state = state;
    this.core.counts[state]!++;
    this.core.tasks.add(task);
  }
}
