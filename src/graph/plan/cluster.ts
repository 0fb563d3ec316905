// Items with needs, joined into ever larger clusters so that the clusters' needs never form a circle. It knows seconds and bytes, not what items are.

/** What is needed: an earlier item or cluster, and the bytes that flow from it. */
export interface Link {
  readonly from: number;
  readonly bytes: number;
}

/** The clusters as they stand: numbered in an order in which they can run. */
interface View {
  readonly members: readonly (readonly number[])[];
  readonly needs: readonly ReadonlyMap<number, number>[];
  readonly feeds: readonly ReadonlySet<number>[];
  readonly seconds: readonly number[];
  /** The longest path to each. No path joins two of one level, nor goes between two neighbouring levels by way of a third cluster. */
  readonly level: readonly number[];
}

const ROUNDS = 40;

export class Clusters {
  private readonly parent: number[];
  /** Whether neighbours() joins even levels to the odd ones before, or odd to even: all its pairs of a round are of disjoint levels. */
  private parity = 1;

  /** Items in an order in which they can run. `overhead`: seconds that it costs to run a cluster elsewhere, given the bytes it reads. */
  constructor(
    private readonly seconds: readonly number[],
    private readonly links: readonly (readonly Link[])[],
    private readonly overhead: (bytes: number) => number,
  ) {
    this.parent = seconds.map((_, i) => i);
  }

  /** Joins items; the caller knows that no path leaves them and comes back. */
  join(items: readonly number[]): void {
    for (const item of items) this.parent[this.root(item)] = this.root(items[0]!);
  }

  all(): void {
    this.join(this.parent.map((_, i) => i));
  }

  /** Joins until each cluster is worth what it costs to run it elsewhere, or can join no other. */
  coarsen(): void {
    if (this.seconds.reduce((a, b) => a + b, 0) <= this.overhead(0)) {
      this.all();
      return;
    }
    for (let round = 0; round < ROUNDS; round++) {
      const before = this.view().members.length;
      for (const step of [this.chains, this.leaves, this.siblings, this.neighbours])
        step.call(this, this.view());
      if (this.view().members.length === before) return;
    }
  }

  result(): { readonly lists: readonly (readonly number[])[]; readonly needs: readonly (readonly Link[])[] } {
    const { members, needs } = this.view();
    return { lists: members, needs: needs.map((map) => [...map].map(([from, bytes]) => ({ from, bytes }))) };
  }

  /** A cluster joins the only one that it needs, if it is small or is alone in needing it. */
  private chains(view: View): void {
    view.needs.forEach((needs, b) => {
      if (needs.size !== 1) return;
      const only = [...needs.keys()][0]!;
      if (view.feeds[only]!.size === 1 || this.isSmall(view, b)) this.unite(view, only, b);
    });
  }

  /** A small cluster joins the only one that needs it. */
  private leaves(view: View): void {
    view.feeds.forEach((feeds, a) => {
      if (feeds.size === 1 && this.isSmall(view, a)) this.unite(view, a, [...feeds][0]!);
    });
  }

  /** Small clusters of one level join, up to what is worth a round trip. */
  private siblings(view: View): void {
    const open = new Map<number, { first: number; seconds: number }>();
    view.members.forEach((_, i) => {
      if (!this.isSmall(view, i)) return;
      const level = view.level[i]!;
      const bin = open.get(level);
      if (bin && bin.seconds < this.overhead(0)) {
        this.unite(view, bin.first, i);
        bin.seconds += view.seconds[i]!;
      } else open.set(level, { first: i, seconds: view.seconds[i]! });
    });
  }

  /** A small cluster joins the one from which most of its bytes come, of the level before; no two such pairs that touch. */
  private neighbours(view: View): void {
    const taken = new Set<number>();
    const touched = new Set<number>();
    view.members.forEach((_, b) => {
      const level = view.level[b]!;
      if (level % 2 !== this.parity) return;
      const [a] = [...view.needs[b]!]
        .filter(([from]) => view.level[from] === level - 1)
        .sort(([, x], [, y]) => y - x)
        .map(([from]) => from);
      if (a === undefined || !this.isSmall(view, b)) return;
      // A large cluster must not come to wait for what only the small one needs.
      const waits = [...view.needs[b]!.keys()].some((x) => x !== a && view.level[x]! >= view.level[a]!);
      if (waits && !this.isSmall(view, a)) return;
      if (taken.has(a) || taken.has(b) || touched.has(a) || touched.has(b)) return;
      this.unite(view, a, b);
      taken.add(a).add(b);
      for (const x of view.feeds[a]!) touched.add(x);
      for (const x of view.needs[b]!.keys()) touched.add(x);
    });
    this.parity = 1 - this.parity;
  }

  private isSmall({ seconds, needs }: View, i: number): boolean {
    let bytes = 0;
    for (const each of needs[i]!.values()) bytes += each;
    return seconds[i]! < this.overhead(bytes);
  }

  private unite(view: View, a: number, b: number): void {
    this.parent[this.root(view.members[b]![0]!)] = this.root(view.members[a]![0]!);
  }

  private root(item: number): number {
    let top = item;
    while (this.parent[top] !== top) top = this.parent[top]!;
    while (this.parent[item] !== top) [item, this.parent[item]] = [this.parent[item]!, top];
    return top;
  }

  private view(): View {
    const roots = this.parent.map((_, i) => this.root(i));
    const needs = new Map<number, Map<number, number>>();
    const members = new Map<number, number[]>();
    roots.forEach((root, i) => {
      const own = members.get(root) ?? [];
      members.set(root, own);
      own.push(i);
      const map = needs.get(root) ?? new Map<number, number>();
      needs.set(root, map);
      for (const { from, bytes } of this.links[i]!)
        if (roots[from] !== root) map.set(roots[from]!, (map.get(roots[from]!) ?? 0) + bytes);
    });
    const order = sorted([...members.keys()], needs);
    const place = new Map(order.map((root, i) => [root, i]));
    const level: number[] = [];
    const feeds = order.map(() => new Set<number>());
    const placed = order.map((root, i) => {
      const own = new Map([...needs.get(root)!].map(([from, bytes]) => [place.get(from)!, bytes]));
      level[i] = 0;
      for (const from of own.keys()) {
        level[i] = Math.max(level[i]!, level[from]! + 1);
        feeds[from]!.add(i);
      }
      return own;
    });
    const lists = order.map((root) => members.get(root)!);
    return {
      members: lists,
      needs: placed,
      feeds,
      seconds: lists.map((list) => list.reduce((sum, i) => sum + this.seconds[i]!, 0)),
      level,
    };
  }
}

/** Each after what it needs. Throws where there is a circle: that is our own mistake. */
function sorted(items: readonly number[], needs: ReadonlyMap<number, ReadonlyMap<number, number>>): number[] {
  const waiting = new Map(items.map((item) => [item, needs.get(item)!.size]));
  const feeds = new Map<number, number[]>(items.map((item) => [item, []]));
  for (const item of items) for (const from of needs.get(item)!.keys()) feeds.get(from)!.push(item);
  const order = items.filter((item) => waiting.get(item) === 0);
  for (let i = 0; i < order.length; i++)
    for (const next of feeds.get(order[i]!)!) {
      const left = waiting.get(next)! - 1;
      waiting.set(next, left);
      if (left === 0) order.push(next);
    }
  if (order.length !== items.length) throw new Error("plan: the groups need each other in a circle");
  return order;
}
