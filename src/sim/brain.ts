// What the simulator drives: the production scheduler, or something else to compare it with.
import type { Counts, SchedulerEffect, SchedulerEvent } from "../scheduler/index.js";

export interface Brain {
  handle(event: SchedulerEvent<number>, now: number): SchedulerEffect<number>[];
  nextTimer(): number;
  digest(): string;
  counts(): Counts;
  readonly decisions: number;
  /** What may keep a task from a node, for whoever checks that nothing else does. */
  look?(task: number): {
    readonly state: string;
    /** Until when it waits for a better node than the idle ones; 0: it does not. */
    readonly heldUntil: number;
    /** Its session has as many at nodes as it may have. */
    readonly full: boolean;
    readonly avoids: readonly string[];
  };
}

/** Sees everything that goes in and comes out. */
export type Watcher = (
  event: SchedulerEvent<number>,
  effects: readonly SchedulerEffect<number>[],
  now: number,
  brain: Brain,
) => void;
