// The tasks that ended, as the timeline draws them: columns of numbers in a ring, in the order they ended.
import type { TaskColumns } from "./update.js";

const KEPT = 131_072;

export class TaskRing {
  readonly node = new Int32Array(KEPT);
  readonly service = new Int32Array(KEPT);
  /** Milliseconds since the hub's epoch. */
  readonly end = new Float64Array(KEPT);
  readonly ms = new Float32Array(KEPT);
  readonly ok = new Uint8Array(KEPT);
  /** How many there were; the last KEPT of them are here. */
  count = 0;
  skipped = 0;

  add(columns: TaskColumns): void {
    for (let i = 0; i < columns.node.length; i++) {
      const slot = this.count++ % KEPT;
      this.node[slot] = columns.node[i]!;
      this.service[slot] = columns.service[i]!;
      this.end[slot] = columns.end[i]!;
      this.ms[slot] = columns.ms[i]!;
      this.ok[slot] = columns.ok[i]!;
    }
    this.skipped += columns.skipped;
  }

  clear(): void {
    this.count = 0;
    this.skipped = 0;
  }

  /** Slots of the last tasks, the latest first, as long as `more` wants them. */
  *latest(): IterableIterator<number> {
    for (let i = this.count - 1; i >= Math.max(0, this.count - KEPT); i--) yield i % KEPT;
  }
}
