// Which of a node's lanes a task is drawn in: beside what ran at the same time, not over it.

/** Most lanes of one row; beyond that they are too thin to see. */
export const MOST_LANES = 16;
/** Times are rounded: so much may two tasks of one lane lie over each other. */
const SLACK_MS = 1.5;

/** Tasks come in the order in which they ended. */
export class Lanes {
  /** When the last task of each lane ended, by node. */
  readonly #ends = new Map<number, number[]>();

  /** How many lanes a node has used so far. */
  of(node: number): number {
    return this.#ends.get(node)?.length ?? 1;
  }

  /** The lane of a task that has ended. `slots`: tasks that its node runs at the same time. */
  add(node: number, start: number, end: number, slots: number): number {
    let ends = this.#ends.get(node);
    if (ends === undefined) this.#ends.set(node, (ends = []));
    const lane = choose(ends, start, slots);
    ends[lane] = Math.max(end, ends[lane] ?? end);
    return lane;
  }

  /** The lanes of tasks that have not ended, the oldest first. */
  running(node: number, starts: readonly number[], slots: number): number[] {
    const ends = [...(this.#ends.get(node) ?? [])];
    return starts.map((start) => {
      const lane = choose(ends, start, slots);
      ends[lane] = Infinity;
      return lane;
    });
  }

  clear(): void {
    this.#ends.clear();
  }
}

/** The lane that became free last before `start`; where none is free a new one, and where there may be none, the one that is free soonest. */
function choose(ends: readonly number[], start: number, slots: number): number {
  let [best, soonest] = [-1, 0];
  for (const [lane, end] of ends.entries()) {
    if (end <= start + SLACK_MS && (best < 0 || end > ends[best]!)) best = lane;
    if (end < ends[soonest]!) soonest = lane;
  }
  if (best >= 0) return best;
  return ends.length < Math.min(slots, MOST_LANES) ? ends.length : soonest;
}
