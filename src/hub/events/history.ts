// One sample of the counts a second, for ten minutes: what charts begin with.
import type { Counts } from "./counts.js";
import type { Latencies } from "./latencies.js";
import type { Section } from "./section.js";

/** In the order of a sample. Counts go up; `waiting`, `running`, `nodes` and `memoryBytes` go up and down; p50 and p95 may be null. */
export const COLUMNS = [
  "submitted",
  "solved",
  "unsolved",
  "computed",
  "attemptsFailed",
  "waiting",
  "running",
  "nodes",
  "bytesIn",
  "bytesOut",
  "memoryBytes",
] as const;

/** [milliseconds since the epoch, ...COLUMNS, p50, p95]. */
export type Sample = (number | null)[];

const EVERY_MS = 1000;
const MOST = 600;

export class History implements Section {
  readonly name = "history";
  #samples: Sample[] = [];
  #fresh: Sample[] = [];
  #lastAt = -Infinity;

  constructor(
    private readonly counts: Counts,
    private readonly latencies: Latencies,
    private readonly epoch: number,
  ) {}

  /** Takes a sample when one is due. Returns whether it did. */
  tick(now: number): boolean {
    if (now - this.#lastAt < EVERY_MS - 100) return false;
    this.#lastAt = now;
    const counts = this.counts.now();
    const sample = [
      Math.round(now - this.epoch),
      ...COLUMNS.map((name) => counts[name]),
      ...this.latencies.percentiles(now),
    ];
    this.#samples.push(sample);
    if (this.#samples.length > MOST) this.#samples = this.#samples.slice(-MOST);
    this.#fresh.push(sample);
    if (this.#fresh.length > MOST) this.#fresh.shift();
    return true;
  }

  whole(): { columns: readonly string[]; samples: Sample[] } {
    this.#fresh = [];
    return { columns: ["at", ...COLUMNS, "p50", "p95"], samples: this.#samples };
  }

  changes(): { samples: Sample[] } | undefined {
    if (this.#fresh.length === 0) return undefined;
    const samples = this.#fresh;
    this.#fresh = [];
    return { samples };
  }
}
