// How long jobs took from their submit to their answer, as percentiles over the last seconds: samples in a ring.
const MOST = 4096;
const WINDOW_MS = 10_000;
/** Of one answer message, at most so many jobs are looked at. */
export const SAMPLES = 8;

export class Latencies {
  readonly #ms = new Float64Array(MOST);
  readonly #at = new Float64Array(MOST);
  #count = 0;

  add(ms: number, now: number): void {
    const slot = this.#count++ % MOST;
    this.#ms[slot] = ms;
    this.#at[slot] = now;
  }

  /** [p50, p95] in milliseconds of the last ten seconds; nulls when nothing was answered. */
  percentiles(now: number): [number | null, number | null] {
    const recent: number[] = [];
    for (let i = this.#count - 1; i >= 0 && i > this.#count - 1 - MOST; i--) {
      if (now - this.#at[i % MOST]! > WINDOW_MS) break;
      recent.push(this.#ms[i % MOST]!);
    }
    if (recent.length === 0) return [null, null];
    const sorted = Float64Array.from(recent).sort();
    const at = (share: number) =>
      rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
    return [at(0.5), at(0.95)];
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
