// A binary min-heap whose items know their place, so that any of them can be moved or removed in O(log n).

/** `heapAt` belongs to the heap: the item's index, -1 when it is in none. An item is in one heap at a time. */
export interface Heaped {
  heapAt: number;
}

export class Heap<T extends Heaped> {
  private readonly items: T[] = [];
  /** Beside the items, so that comparing touches no item. */
  private readonly keys: number[] = [];

  get size(): number {
    return this.items.length;
  }

  top(): T | undefined {
    return this.items[0];
  }

  /** The smallest key; Infinity when the heap is empty. */
  topKey(): number {
    return this.items.length > 0 ? this.keys[0]! : Infinity;
  }

  /** Puts the item in, or moves it to its new key. */
  set(item: T, key: number): void {
    let at = item.heapAt;
    if (at < 0) {
      at = this.items.length;
      this.items.push(item);
      this.keys.push(key);
      this.up(at, item, key);
    } else if (key < this.keys[at]!) this.up(at, item, key);
    else this.down(at, item, key);
  }

  /** Takes the item out; nothing happens when it is not in. */
  remove(item: T): void {
    const at = item.heapAt;
    if (at < 0) return;
    item.heapAt = -1;
    const last = this.items.pop()!;
    const key = this.keys.pop()!;
    if (last === item) return;
    if (at > 0 && key < this.keys[(at - 1) >> 1]!) this.up(at, last, key);
    else this.down(at, last, key);
  }

  private up(from: number, item: T, key: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.keys[parent]! <= key) break;
      this.settle(at, this.items[parent]!, this.keys[parent]!);
      at = parent;
    }
    this.settle(at, item, key);
  }

  private down(from: number, item: T, key: number): void {
    const size = this.items.length;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.keys[child + 1]! < this.keys[child]!) child++;
      if (this.keys[child]! >= key) break;
      this.settle(at, this.items[child]!, this.keys[child]!);
      at = child;
    }
    this.settle(at, item, key);
  }

  private settle(at: number, item: T, key: number): void {
    this.items[at] = item;
    this.keys[at] = key;
    item.heapAt = at;
  }
}
