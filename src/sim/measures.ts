// What a run is judged by: makespan beside its bound, waste, latency, fairness.
import type { Clients } from "./clients.js";

/** Latencies are counted in steps of a sixteenth of a doubling: 4 % wide. */
const STEPS = 16;
const LEAST_EXPONENT = -10;

export class Histogram {
  readonly counts = new Float64Array(48 * STEPS);
  count = 0;
  max = 0;

  add(value: number): void {
    this.counts[stepOf(value)]!++;
    this.count++;
    this.max = Math.max(this.max, value);
  }

  quantile(q: number): number {
    if (this.count === 0) return 0;
    let left = q * this.count;
    for (let i = 0; i < this.counts.length; i++) {
      left -= this.counts[i]!;
      if (left <= 0 && this.counts[i]! > 0) return Math.min(this.max, startOf(i + 0.5));
    }
    return this.max;
  }
}

function stepOf(value: number): number {
  const step = Math.floor((Math.log2(Math.max(value, 1e-3)) - LEAST_EXPONENT) * STEPS);
  return Math.min(48 * STEPS - 1, Math.max(0, step));
}

/** Where a histogram's step begins. */
export function startOf(step: number): number {
  return 2 ** (step / STEPS + LEAST_EXPONENT);
}

export interface Outcome {
  readonly scenario: string;
  readonly seed: number;
  readonly bound: number;
  readonly makespan: number;
  /** Tasks that never end. */
  readonly stuck: boolean;
  readonly solved: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Part of the nodes' working time that led to no first answer. */
  readonly wasted: number;
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly clients: readonly { readonly solved: number; readonly p50: number; readonly p99: number }[];
  readonly histogram: Histogram;
  readonly events: number;
  readonly decisions: number;
  readonly decidingMs: number;
  /** After the end: what the scheduler has not forgotten, and values that nodes still keep. */
  readonly remembered: number;
  readonly keptValues: number;
  readonly digest: string;
}

type Known = "solved" | "failed" | "failures" | "wasted" | "latency" | "clients" | "histogram";

export class Measures {
  private solvedCount = 0;
  private failedCount = 0;
  private readonly failures: Record<string, number> = {};
  private readonly all = new Histogram();
  private readonly byClient: Histogram[] = [];
  private spentMs = 0;
  private usefulMs = 0;
  /** Answered, and not yet known whether first: milliseconds by task. */
  private readonly pending = new Map<number, number>();

  constructor(private readonly clients: Clients) {}

  spent(task: number, ms: number, answered: boolean): void {
    this.spentMs += ms;
    if (answered) this.pending.set(task, ms);
  }

  solved(task: number, now: number): void {
    const latency = this.clients.end(task, true, now);
    if (latency < 0) return;
    this.solvedCount++;
    this.usefulMs += this.pending.get(task) ?? 0;
    this.pending.delete(task);
    this.all.add(latency);
    const client = this.clients.clientOf(task);
    (this.byClient[client] ??= new Histogram()).add(latency);
  }

  failed(task: number, code: string, now: number): void {
    if (this.clients.end(task, false, now) < 0) return;
    this.failedCount++;
    this.failures[code] = (this.failures[code] ?? 0) + 1;
  }

  outcome(rest: Omit<Outcome, Known>): Outcome {
    const { all } = this;
    return {
      ...rest,
      solved: this.solvedCount,
      failed: this.failedCount,
      failures: this.failures,
      wasted: this.spentMs > 0 ? Math.max(0, 1 - this.usefulMs / this.spentMs) : 0,
      latency: { p50: all.quantile(0.5), p99: all.quantile(0.99), max: all.max },
      clients: Array.from(this.byClient, (h = new Histogram()) => ({
        solved: h.count,
        p50: h.quantile(0.5),
        p99: h.quantile(0.99),
      })),
      histogram: all,
    };
  }
}
