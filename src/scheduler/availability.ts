// Whether a node may be given tasks, and what a change of that means for the tasks that avoid or await certain nodes.
import type { Core } from "./core.js";
import type { Group } from "./group.js";
import type { Node } from "./node.js";

export class Availability<Tag> {
  constructor(private readonly core: Core<Tag>) {}

  quarantine(node: Node, until: number): void {
    this.change(node, () => (node.quarantinedUntil = until));
    this.core.nodeTimers.set(node, until);
    this.core.recallAll(node);
  }

  /** Changes what the node's availability rests on, and books the difference to the services it offers. */
  change(node: Node, change: () => void): void {
    const available = Number(node.available);
    const reachable = Number(node.reachable);
    change();
    const more = Number(node.available) - available;
    node.pool.available += more;
    node.pool.reachable += Number(node.reachable) - reachable;
    for (const { group } of node.pool.offers) {
      group.available += more;
      group.reachable += Number(node.reachable) - reachable;
      if (more < 0) this.settleBuckets(group);
      if (more > 0) this.wakeResting(group);
    }
    this.core.touch(node);
  }

  /** After a node has gone: tasks for which nobody else is left may go back to where they failed, after a rest. */
  private settleBuckets(group: Group): void {
    if (group.available > group.widestBucket) return;
    for (const bucket of [...group.buckets.values()]) {
      if (this.core.othersThan(bucket.nodes, group)) continue;
      for (let task = bucket.head; task !== null; task = bucket.head) {
        this.core.unqueue(task);
        this.core.backOff(task);
      }
    }
  }

  /** After a node has come: tasks that rest because they failed on all others need not. */
  private wakeResting(group: Group): void {
    for (let task = group.resting.head; task !== null;) {
      const { next, trouble } = task;
      if (this.core.othersThan(trouble!.failedOn, group)) {
        this.core.unqueue(task);
        this.core.ready(task, true);
      }
      task = next;
    }
  }
}
