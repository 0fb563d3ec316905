// Results that an earlier process of a session did not acknowledge, each once, until all that were missed have come.
import type { Result } from "./result.js";

export class Missed implements AsyncIterable<Result> {
  readonly #seen = new Set<number>();
  readonly #total: number;
  readonly #queue: Result[] = [];
  #wake: (() => void) | undefined = undefined;
  ended = false;

  constructor(total: number) {
    this.#total = total;
    this.ended = total === 0;
  }

  add(seq: number, result: Result): void {
    if (this.#seen.has(seq)) return;
    this.#seen.add(seq);
    this.#queue.push(result);
    if (this.#seen.size >= this.#total) this.ended = true;
    this.#wake?.();
  }

  end(): void {
    this.ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Result, void> {
    for (;;) {
      const result = this.#queue.shift();
      if (result !== undefined) yield result;
      else if (this.ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
