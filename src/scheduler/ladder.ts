// An approximate priority queue with O(1) everything: 32 rungs, each a linked list in order of arrival.
// Placement does not need the exact least loaded node, only one of the least loaded, in turn.

/** An owner's place on one ladder. */
export class Link<T> {
  prev: Link<T> | null = null;
  next: Link<T> | null = null;
  rung = -1;
  constructor(readonly owner: T) {}
}

export class Ladder<T> {
  private readonly heads: (Link<T> | null)[] = [];
  private readonly tails: (Link<T> | null)[] = [];
  /** Bit r is set when rung r has somebody. */
  private mask = 0;

  /** The lowest rung with somebody on it; -1 when the ladder is empty. */
  low(): number {
    return 31 - Math.clz32(this.mask & -this.mask);
  }

  high(): number {
    return 31 - Math.clz32(this.mask);
  }

  lowest(): Link<T> | null {
    return this.mask === 0 ? null : this.heads[this.low()]!;
  }

  highest(): Link<T> | null {
    return this.mask === 0 ? null : this.heads[this.high()]!;
  }

  /** To the end of the rung's list: whoever was just served is served again after the others. */
  put(link: Link<T>, rung: number): void {
    if (link.rung >= 0) {
      if (link.rung === rung && this.tails[rung] === link) return;
      this.remove(link);
    }
    while (this.heads.length <= rung) {
      this.heads.push(null);
      this.tails.push(null);
    }
    const tail = this.tails[rung]!;
    link.rung = rung;
    link.prev = tail;
    if (tail === null) {
      this.heads[rung] = link;
      this.mask |= 1 << rung;
    } else tail.next = link;
    this.tails[rung] = link;
  }

  remove(link: Link<T>): void {
    const rung = link.rung;
    if (rung < 0) return;
    if (link.prev === null) this.heads[rung] = link.next;
    else link.prev.next = link.next;
    if (link.next === null) this.tails[rung] = link.prev;
    else link.next.prev = link.prev;
    if (this.heads[rung] === null) this.mask &= ~(1 << rung);
    link.prev = link.next = null;
    link.rung = -1;
  }

  /** Everybody on it, from below. */
  all(): T[] {
    const all: T[] = [];
    for (let link of this.heads) for (; link !== null; link = link.next) all.push(link.owner);
    return all;
  }

  /** The first from below that `wanted` accepts. The caller sees to it that few are refused. */
  find(wanted: (owner: T) => boolean): T | null {
    for (let left = this.mask; left !== 0; left &= left - 1) {
      let link: Link<T> | null = this.heads[31 - Math.clz32(left & -left)]!;
      for (; link !== null; link = link.next) if (wanted(link.owner)) return link.owner;
    }
    return null;
  }
}

/** Below this rung a node has a free slot. */
export const BUSY = 11;
const IDLE_STEPS = 2;
const BUSY_STEPS = 1.5;

/** Rung of a node by how long what it holds beyond its slots has to wait there. */
export function spareRung(load: number, speed: number): number {
  return Math.min(31, Math.max(0, 8 + Math.round(IDLE_STEPS * Math.log2(load / speed))));
}

/**
 * A node's rung: the sooner it should finish one more task, the lower. Free slots come first, the faster the sooner, in
 * steps of a factor 1.4; then those with less to do before it, for their speed. `speed` is relative to the pool's mean.
 */
export function loadRung(held: number, slots: number, speed: number): number {
  const load = held / slots;
  if (load < 1) {
    if (speed === 1) return BUSY >> 1;
    return Math.min(BUSY - 1, Math.max(0, (BUSY >> 1) - Math.round(IDLE_STEPS * Math.log2(speed))));
  }
  const wait = Math.log2((Math.floor(load) + 0.5) / speed);
  return BUSY + Math.min(31 - BUSY, Math.max(0, Math.floor(BUSY_STEPS * wait) + 3));
}
