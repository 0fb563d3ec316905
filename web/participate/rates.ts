// Tasks a second of this tab over the last two minutes, for its chart.
import type uPlot from "uplot";

const SECONDS = 120;

export class Rates {
  latest = 0;
  readonly #count: () => number;
  readonly #listeners = new Set<() => void>();
  #last = 0;
  #times: number[];
  #values: number[];

  constructor(count: () => number) {
    this.#count = count;
    const now = Math.floor(Date.now() / 1000);
    this.#times = Array.from({ length: SECONDS }, (_, i) => now - SECONDS + i);
    this.#values = new Array<number>(SECONDS).fill(0);
    setInterval(() => this.#tick(), 1000);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  data(): uPlot.AlignedData {
    return [this.#times, this.#values];
  }

  #tick(): void {
    const now = Date.now() / 1000;
    const count = this.#count();
    // A page that was hidden or asleep is ticked late.
    this.latest = Math.max(0, count - this.#last) / Math.max(1, now - this.#times.at(-1)!);
    this.#last = count;
    this.#times = [...this.#times.slice(1), now];
    this.#values = [...this.#values.slice(1), this.latest];
    for (const listener of this.#listeners) listener();
  }
}
