// What the simulator drives: the production scheduler, or something else to compare it with.
import type { Counts, SchedulerEffect, SchedulerEvent } from "../scheduler/index.js";

export interface Brain {
  handle(event: SchedulerEvent<number>, now: number): SchedulerEffect<number>[];
  nextTimer(): number;
  digest(): string;
  counts(): Counts;
  readonly decisions: number;
}

/** Sees everything that goes in and comes out. */
export type Watcher = (
  event: SchedulerEvent<number>,
  effects: readonly SchedulerEffect<number>[],
  now: number,
  brain: Brain,
) => void;
