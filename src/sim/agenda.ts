// The virtual clock: what happens next. Things of the same instant happen in the order in which they were put in.

export class Agenda<T> {
  private readonly times: number[] = [];
  private readonly orders: number[] = [];
  private readonly items: T[] = [];
  private order = 0;

  get size(): number {
    return this.items.length;
  }

  /** When the next thing happens; Infinity: never. */
  get next(): number {
    return this.items.length > 0 ? this.times[0]! : Infinity;
  }

  add(at: number, item: T): void {
    const { times, orders, items } = this;
    const order = this.order++;
    let hole = items.length;
    items.push(item);
    times.push(at);
    orders.push(order);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (times[parent]! <= at) break;
      times[hole] = times[parent]!;
      orders[hole] = orders[parent]!;
      items[hole] = items[parent]!;
      hole = parent;
    }
    times[hole] = at;
    orders[hole] = order;
    items[hole] = item;
  }

  /** Takes the next thing out; the agenda must not be empty. */
  take(): T {
    const { times, orders, items } = this;
    const first = items[0]!;
    const at = times.pop()!;
    const order = orders.pop()!;
    const item = items.pop()!;
    const size = items.length;
    if (size === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && before(times[child + 1]!, orders[child + 1]!, times[child]!, orders[child]!))
        child++;
      if (before(at, order, times[child]!, orders[child]!)) break;
      times[hole] = times[child]!;
      orders[hole] = orders[child]!;
      items[hole] = items[child]!;
      hole = child;
    }
    times[hole] = at;
    orders[hole] = order;
    items[hole] = item;
    return first;
  }
}

function before(time: number, order: number, thanTime: number, thanOrder: number): boolean {
  return time < thanTime || (time === thanTime && order < thanOrder);
}
