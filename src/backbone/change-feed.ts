// Carries changes of keys to whoever watches. Bounded by the number of keys: a slow reader misses steps, not states.

import type { KvChange } from "./backbone.js";

export class ChangeFeed {
  readonly #watches = new Set<Watch>();
  #closed = false;

  publish(change: KvChange): void {
    for (const watch of this.#watches) watch.push(change);
  }

  watch(prefix: string): AsyncIterableIterator<KvChange> {
    const watch = new Watch(prefix, () => this.#watches.delete(watch));
    if (this.#closed) watch.end();
    else this.#watches.add(watch);
    return watch;
  }

  close(): void {
    this.#closed = true;
    for (const watch of this.#watches) watch.end();
  }
}

class Watch implements AsyncIterableIterator<KvChange> {
  readonly #unread = new Map<string, KvChange>();
  readonly #waiting: ((result: IteratorResult<KvChange>) => void)[] = [];
  #ended = false;

  constructor(
    readonly prefix: string,
    readonly left: () => void,
  ) {}

  push(change: KvChange): void {
    if (!change.key.startsWith(this.prefix)) return;
    const reader = this.#waiting.shift();
    if (reader) {
      reader({ done: false, value: change });
      return;
    }
    this.#unread.delete(change.key); // so that the latest change also takes the latest place
    this.#unread.set(change.key, change);
  }

  /** What has not been read yet is still delivered. */
  end(): void {
    this.#ended = true;
    this.left();
    for (const reader of this.#waiting.splice(0)) reader({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<KvChange>> {
    for (const [key, value] of this.#unread) {
      this.#unread.delete(key);
      return Promise.resolve({ done: false, value });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<KvChange>> {
    this.#unread.clear();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
