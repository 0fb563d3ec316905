// The tasks that ended, as the timeline draws them: columns of numbers in a ring, in the order they ended.
import { Lanes } from "./lanes.js";
import type { TaskColumns } from "./update.js";

export class TaskRing {
  readonly node: Int32Array;
  readonly service: Int32Array;
  /** Milliseconds since the hub's epoch. */
  readonly end: Float64Array;
  readonly ms: Float32Array;
  readonly ok: Uint8Array;
  readonly lane: Uint8Array;
  readonly lanes = new Lanes();
  /** How many there were; the last `kept` of them are here. */
  count = 0;
  skipped = 0;

  constructor(readonly kept: number) {
    this.node = new Int32Array(kept);
    this.service = new Int32Array(kept);
    this.end = new Float64Array(kept);
    this.ms = new Float32Array(kept);
    this.ok = new Uint8Array(kept);
    this.lane = new Uint8Array(kept);
  }

  /** `slotsOf`: tasks that a node runs at the same time. */
  add(columns: TaskColumns, slotsOf: (node: number) => number): void {
    for (let i = 0; i < columns.node.length; i++) {
      const slot = this.count++ % this.kept;
      const [node, end, ms] = [columns.node[i]!, columns.end[i]!, columns.ms[i]!];
      this.node[slot] = node;
      this.service[slot] = columns.service[i]!;
      this.end[slot] = end;
      this.ms[slot] = ms;
      this.ok[slot] = columns.ok[i]!;
      this.lane[slot] = this.lanes.add(node, end - ms, end, slotsOf(node));
    }
    this.skipped += columns.skipped;
  }

  clear(): void {
    this.count = 0;
    this.skipped = 0;
    this.lanes.clear();
  }

  /** Slots of the last tasks, the latest first, as long as `more` wants them. */
  *latest(): IterableIterator<number> {
    for (let i = this.count - 1; i >= Math.max(0, this.count - this.kept); i--) yield i % this.kept;
  }
}
