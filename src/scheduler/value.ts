// What the scheduler keeps of a value: who makes it, who has it, who needs it. lineage.ts changes it.
import type { Place, ValueRef } from "./events.js";
import type { Node } from "./node.js";
import type { Task } from "./task.js";

export class Value {
  bytes = 0;
  atHub = false;
  readonly nodes: Node[] = [];
  /** Open tasks that have it as input. */
  readonly needers = new Set<Task>();
  /** Somebody will ask for it: computed again when it is lost, needed or not. */
  wanted = false;
  /** Nobody beyond the needers will ask for it. */
  released = false;

  constructor(
    readonly task: Task,
    readonly output: number,
  ) {}

  get ref(): ValueRef {
    return { task: this.task.id, output: this.output };
  }

  /** It can be fetched now. */
  get available(): boolean {
    if (this.atHub) return true;
    for (const node of this.nodes) if (node.reachable) return true;
    return false;
  }

  /** No copy is left, not even on a node that may come back. */
  get lost(): boolean {
    return !this.atHub && this.nodes.length === 0;
  }

  places(): Place[] {
    const places: Place[] = this.atHub ? ["hub"] : [];
    for (const node of this.nodes) if (node.reachable) places.push(node.id);
    return places;
  }
}
