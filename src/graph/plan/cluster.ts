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
  private view: View;
  /** For the step under way: the cluster that each joins, itself at first. */
  private parent: number[] = [];
  /** Whether neighbours() joins even levels to the odd ones before, or odd to even: all its pairs of a round are of disjoint levels. */
  private parity = 1;

  /** Items in an order in which they can run. `overhead`: seconds that it costs to run a cluster elsewhere, given the bytes it reads. */
  constructor(
    seconds: readonly number[],
    links: readonly (readonly Link[])[],
    private readonly overhead: (bytes: number) => number,
  ) {
    const needs = links.map((own) => {
      const map = new Map<number, number>();
      for (const { from, bytes } of own) map.set(from, (map.get(from) ?? 0) + bytes);
      return map;
    });
    this.view = viewOf(
      seconds.map((_, i) => [i]),
      needs,
      seconds,
      [...seconds.keys()],
    );
    this.settle();
  }

  /** Joins items, before anything else is done; the caller knows that no path leaves a set and comes back. */
  join(sets: Iterable<readonly number[]>): void {
    for (const set of sets) for (const item of set) this.unite(set[0]!, item);
    this.contract();
  }

  all(): void {
    this.view.members.forEach((_, i) => {
      this.unite(0, i);
    });
    this.contract();
  }

  /** Joins until each cluster is worth what it costs to run it elsewhere, or can join no other. */
  coarsen(): void {
    if (this.view.seconds.reduce((a, b) => a + b, 0) <= this.overhead(0)) {
      this.all();
      return;
    }
    for (let round = 0; round < ROUNDS; round++) {
      const before = this.view.members.length;
      for (const step of [this.chains, this.leaves, this.siblings, this.neighbours]) {
        step.call(this, this.view);
        this.contract();
      }
      if (this.view.members.length === before) return;
    }
  }

  result(): { readonly lists: readonly (readonly number[])[]; readonly needs: readonly (readonly Link[])[] } {
    const { members, needs } = this.view;
    return {
      lists: members.map((list) => list.toSorted((a, b) => a - b)),
      needs: needs.map((map) => [...map].map(([from, bytes]) => ({ from, bytes }))),
    };
  }

  /** A cluster joins the only one that it needs, if it is small or all others that need it wait for this one anyway. */
  private chains(view: View): void {
    const ways = new Map<number, number | undefined>();
    view.needs.forEach((needs, b) => {
      // What it needs may have come together in this step.
      const [first, ...others] = needs.keys();
      if (first === undefined || others.some((other) => this.root(other) !== this.root(first))) return;
      if (!ways.has(first)) ways.set(first, onlyWayFrom(view, first));
      if (this.isSmall(view, b) || (others.length === 0 && ways.get(first) === b)) this.unite(first, b);
    });
  }

  /** A small cluster joins the only one that needs it, as long as what has come together on the way there is small too. */
  private leaves(view: View): void {
    const sums = [...view.seconds];
    view.feeds.forEach((feeds, a) => {
      if (feeds.size !== 1) return;
      const b = [...feeds][0]!;
      const [from, to] = [this.root(a), this.root(b)];
      const gathered = sums[to]! - view.seconds[b]!;
      if (gathered + sums[from]! >= this.overheadOf(view, a)) return;
      this.unite(a, b);
      sums[from] = sums[to] = sums[from]! + sums[to]!;
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
        this.unite(bin.first, i);
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
      this.unite(a, b);
      taken.add(a).add(b);
      for (const x of view.feeds[a]!) touched.add(x);
      for (const x of view.needs[b]!.keys()) touched.add(x);
    });
    this.parity = 1 - this.parity;
  }

  private isSmall(view: View, i: number): boolean {
    return view.seconds[i]! < this.overheadOf(view, i);
  }

  /** Seconds that it costs to run it elsewhere. */
  private overheadOf({ needs }: View, i: number): number {
    let bytes = 0;
    for (const each of needs[i]!.values()) bytes += each;
    return this.overhead(bytes);
  }

  private unite(a: number, b: number): void {
    this.parent[this.root(b)] = this.root(a);
  }

  private root(i: number): number {
    let top = i;
    while (this.parent[top] !== top) top = this.parent[top]!;
    while (this.parent[i] !== top) [i, this.parent[i]] = [this.parent[i]!, top];
    return top;
  }

  /** Makes one cluster of each set that the step has united. */
  private contract(): void {
    const { members, needs, seconds } = this.view;
    const places = new Map<number, number>();
    const place = members.map((_, i) => {
      const root = this.root(i);
      const at = places.get(root) ?? places.size;
      places.set(root, at);
      return at;
    });
    if (places.size === members.length) return;
    const lists = Array.from({ length: places.size }, (): number[] => []);
    const maps = lists.map(() => new Map<number, number>());
    const sums = lists.map(() => 0);
    members.forEach((list, i) => {
      const at = place[i]!;
      for (const item of list) lists[at]!.push(item);
      sums[at]! += seconds[i]!;
      for (const [from, bytes] of needs[i]!)
        if (place[from] !== at) maps[at]!.set(place[from]!, (maps[at]!.get(place[from]!) ?? 0) + bytes);
    });
    this.view = viewOf(lists, maps, sums, sorted(maps));
    this.settle();
  }

  private settle(): void {
    this.parent = this.view.members.map((_, i) => i);
  }
}

/** The cluster that needs `a` and that all others of those need too, directly or by way of one another; undefined: there is none. */
function onlyWayFrom({ needs, feeds }: View, a: number): number | undefined {
  const [first, ...others] = [...feeds[a]!].sort((x, y) => x - y);
  if (first === undefined) return undefined;
  const after = new Set([first]);
  for (const other of others) {
    if (![...needs[other]!.keys()].some((each) => after.has(each))) return undefined;
    after.add(other);
  }
  return first;
}

/** Clusters in `order`, in which they can run. */
function viewOf(
  members: readonly (readonly number[])[],
  needs: readonly ReadonlyMap<number, number>[],
  seconds: readonly number[],
  order: readonly number[],
): View {
  const place: number[] = [];
  order.forEach((old, i) => {
    place[old] = i;
  });
  const level: number[] = [];
  const feeds = order.map(() => new Set<number>());
  const placed = order.map((old, i) => {
    const own = new Map<number, number>();
    level[i] = 0;
    for (const [from, bytes] of needs[old]!) {
      const at = place[from]!;
      own.set(at, bytes);
      level[i] = Math.max(level[i]!, level[at]! + 1);
      feeds[at]!.add(i);
    }
    return own;
  });
  return {
    members: order.map((old) => members[old]!),
    needs: placed,
    feeds,
    seconds: order.map((old) => seconds[old]!),
    level,
  };
}

/** Each after what it needs. Throws where there is a circle: that is our own mistake. */
function sorted(needs: readonly ReadonlyMap<number, number>[]): number[] {
  const waiting = needs.map(({ size }) => size);
  const feeds = needs.map((): number[] => []);
  needs.forEach((own, i) => {
    for (const from of own.keys()) feeds[from]!.push(i);
  });
  const order = [...needs.keys()].filter((i) => waiting[i] === 0);
  for (let i = 0; i < order.length; i++)
    for (const next of feeds[order[i]!]!) if (--waiting[next]! === 0) order.push(next);
  if (order.length !== needs.length) throw new Error("plan: the groups need each other in a circle");
  return order;
}
