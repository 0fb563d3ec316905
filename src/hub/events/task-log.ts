// The last tasks that ended: where, what, when, how long, how. Columns of numbers in a ring; nothing while nobody watches.
import type { Section } from "./section.js";

/** Kept for whoever comes next, and told at most at once. */
const KEPT = 16_384;
const MOST_AT_ONCE = 2048;
/** Goes on for this long after the last watcher left: a page that is reloaded finds its timeline again. */
const LINGER_MS = 60_000;

/** `end` in milliseconds since the feed's epoch, `ms` how long it ran, `ok` 1 or 0. `skipped`: ended too, and left out. */
export interface TaskColumns {
  readonly node: number[];
  readonly service: number[];
  readonly end: number[];
  readonly ms: number[];
  readonly ok: number[];
  readonly skipped: number;
}

export class TaskLog implements Section {
  readonly name = "tasks";
  readonly #node = new Int32Array(KEPT);
  readonly #service = new Int32Array(KEPT);
  readonly #end = new Float64Array(KEPT);
  readonly #ms = new Float32Array(KEPT);
  readonly #ok = new Uint8Array(KEPT);
  readonly #epoch: number;
  #count = 0;
  #told = 0;
  #recordsUntil = 0;

  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  watched(now: number): void {
    this.#recordsUntil = now + LINGER_MS;
  }

  records(now: number): boolean {
    return now < this.#recordsUntil;
  }

  add(node: number, service: number, endedAt: number, ms: number, ok: boolean): void {
    const slot = this.#count++ % KEPT;
    this.#node[slot] = node;
    this.#service[slot] = service;
    this.#end[slot] = endedAt - this.#epoch;
    this.#ms[slot] = ms;
    this.#ok[slot] = ok ? 1 : 0;
  }

  whole(): TaskColumns {
    this.#told = this.#count;
    return this.#columns(Math.max(0, this.#count - KEPT), 0);
  }

  changes(): TaskColumns | undefined {
    if (this.#told === this.#count) return undefined;
    const from = Math.max(this.#told, this.#count - MOST_AT_ONCE);
    const skipped = from - this.#told;
    this.#told = this.#count;
    return this.#columns(from, skipped);
  }

  #columns(from: number, skipped: number): TaskColumns {
    const columns: TaskColumns = { node: [], service: [], end: [], ms: [], ok: [], skipped };
    for (let i = from; i < this.#count; i++) {
      const slot = i % KEPT;
      columns.node.push(this.#node[slot]!);
      columns.service.push(this.#service[slot]!);
      columns.end.push(Math.round(this.#end[slot]!));
      columns.ms.push(Math.round(this.#ms[slot]! * 10) / 10);
      columns.ok.push(this.#ok[slot]!);
    }
    return columns;
  }
}
