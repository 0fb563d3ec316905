// What a list of groups is thought to take on a fleet, by placing each where it would end first.
import type { Node } from "../expression.js";
import type { Fleet } from "./fleet.js";
import type { Group } from "./group.js";

export interface Estimate {
  /** From the first group's start to the last one's end. */
  readonly seconds: number;
  /** Bytes that go from one node to another, and from the client to nodes. */
  readonly moved: number;
  /** Where each group was placed in this reckoning: ranks of nodes. */
  readonly ranks: readonly number[];
}

/** Groups start in the order in which their needs are met, each on the node it was cut for or where it would end first. */
export function estimate(groups: readonly Group[], fleet: Fleet): Estimate {
  const { roundTrip } = fleet.capacity;
  const free = fleet.nodes.map(() => 0);
  const holds = fleet.nodes.map(() => new Set<number | Node>());
  const ends: number[] = [];
  const ranks: number[] = [];
  let moved = 0;

  const trial = ({ needs, reads, cost }: Group, rank: number): { end: number; bytes: number } => {
    let bytes = 0;
    let ready = 0;
    for (const { from, bytes: each } of needs) {
      const near = ranks[from] === rank || holds[rank]!.has(from);
      bytes += near ? 0 : each;
      ready = Math.max(ready, ends[from]! + (near ? 0 : fleet.moveSeconds(each)));
    }
    let first = 0;
    for (const [node, each] of reads) if (!holds[rank]!.has(node)) first += each;
    ready = Math.max(ready, fleet.moveSeconds(first)) + roundTrip;
    return { end: Math.max(free[rank]!, ready) + fleet.seconds(cost, rank), bytes: bytes + first };
  };

  const waiting = groups.map(({ needs }) => needs.length);
  const feeds = groups.map((): number[] => []);
  groups.forEach(({ needs }, i) => {
    for (const { from } of needs) feeds[from]!.push(i);
  });
  const queue = new Queue();
  waiting.forEach((count, i) => {
    if (count === 0) queue.push(i, 0);
  });
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    const group = groups[i]!;
    const candidates = group.lane === undefined ? [...fleet.nodes.keys()] : [group.lane];
    let [rank, best] = [candidates[0]!, trial(group, candidates[0]!)];
    for (const other of candidates.slice(1)) {
      const tried = trial(group, other);
      if (tried.end < best.end) [rank, best] = [other, tried];
    }
    for (const { from } of group.needs) holds[rank]!.add(from);
    for (const node of group.reads.keys()) holds[rank]!.add(node);
    free[rank] = best.end;
    ends[i] = best.end;
    ranks[i] = rank;
    moved += best.bytes;
    for (const next of feeds[i]!)
      if (--waiting[next]! === 0)
        queue.push(next, Math.max(...groups[next]!.needs.map(({ from }) => ends[from]!)));
  }
  return { seconds: Math.max(0, ...ends), moved, ranks };
}

/** The earliest first; equals in the order in which they came. */
class Queue {
  private readonly items: { readonly item: number; readonly time: number }[] = [];

  push(item: number, time: number): void {
    let [low, high] = [0, this.items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.items[middle]!.time > time) low = middle + 1;
      else high = middle;
    }
    this.items.splice(low, 0, { item, time });
  }

  pop(): number | undefined {
    return this.items.pop()?.item;
  }
}
