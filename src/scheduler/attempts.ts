// Attempts are used again: they live just long enough to be what the garbage collector is worst at, and with a hundred
// thousand nodes moving them about would cost more than the decisions.
import type { Domain, NodeId, SessionId, TaskId } from "../ids/index.js";
import { Group } from "./group.js";
import { Share } from "./share.js";
import { Node, Pool } from "./node.js";
import { Attempt, Batch, LIVE, Task } from "./task.js";

const NOWHERE = "" as Domain;
const shape = {
  tags: [],
  domain: NOWHERE,
  session: "" as SessionId,
  service: "",
  priority: 0,
  maxAttempts: 1,
};
const group = new Group("", NOWHERE, "");
const batch = new Batch(
  { ...shape, first: 0 as TaskId, attemptTimeoutMs: 0, deadlineAt: Infinity, idempotent: false, keep: "hub" },
  group,
  group.level(new Share(shape.session), 0),
);
/** What unused attempts point at, so that they hold on to no task and no node. */
const NO_TASK = new Task(0 as TaskId, undefined, batch);
const NO_NODE = new Node("" as NodeId, 0, new Pool("", NOWHERE));

export class Attempts {
  private readonly unused: Attempt[] = [];
  /** Given back during this event: whoever is at work on it may still look at them. */
  private readonly fresh: Attempt[] = [];

  take(task: Task, node: Node, number: number): Attempt {
    const attempt = this.unused.pop();
    if (attempt === undefined) return new Attempt(task, node, number);
    attempt.task = task;
    attempt.node = node;
    attempt.number = number;
    return attempt;
  }

  /** The attempt must be in no list and no heap. */
  giveBack(attempt: Attempt): void {
    this.fresh.push(attempt);
  }

  /** The event is over. */
  turn(): void {
    for (const attempt of this.fresh) {
      attempt.task = NO_TASK;
      attempt.node = NO_NODE;
      attempt.state = LIVE;
      attempt.started = false;
      attempt.startedAt = -1;
      attempt.timeoutMs = 0;
      attempt.event = -1;
      attempt.down = false;
      this.unused.push(attempt);
    }
    this.fresh.length = 0;
  }
}
