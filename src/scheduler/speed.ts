// How fast nodes are and how long tasks take: a benchmark to begin with, corrected by every duration that comes in.
// Speeds are relative: at speed 2, a task takes half as long as at speed 1.
import type { Group } from "./group.js";
import type { Node } from "./node.js";
import type { Turn } from "./group.js";

/** How sure a benchmark is: it may well be off by two thirds (one over the variance of the logarithm). */
export const BENCHMARK_SURE = 4;
/** Durations of equal tasks on one node still differ a little. */
const LEAST_SPREAD = 0.01;
const FIRST_SPREAD = 0.1;
/** What was measured long ago counts less: a node's speed may change. */
const MEMORY_OF_NODE = 16;
const MEMORY_OF_GROUP = 256;
/** Below this, a duration says more about the clock than about the node. */
const LEAST_MS = 0.5;
/** From here on, expected durations decide where tasks go. */
const WORTH_THINKING_MS = 20;

/** Speeds fall into classes a quarter apart in the natural logarithm. */
export const CLASSES = 64;
const MIDDLE = 32;
const CLASS_SPEED = Float64Array.from({ length: CLASSES }, (_, c) => Math.exp((c - MIDDLE) / 4));

export function classOf(logSpeed: number): number {
  return Math.min(CLASSES - 1, Math.max(0, Math.round(4 * logSpeed) + MIDDLE));
}

export function speedOfClass(c: number): number {
  return CLASS_SPEED[c]!;
}

/** The durations of a group's tasks. */
export class Durations {
  /** Mean milliseconds at speed 1; 0 while nothing is known. */
  work = 0;
  logWork = 0;
  /** Variance of the logarithm, beyond what speeds explain. */
  spread = FIRST_SPREAD;
  count = 0;
  /** Whoever submitted them said about how long they take. */
  guessed = false;

  /** Known well enough to reckon with. */
  get known(): boolean {
    return this.count >= 3 || this.guessed;
  }

  /** Long enough, and known well enough, to think about where tasks should go. */
  get tell(): boolean {
    return this.known && this.work >= WORTH_THINKING_MS;
  }

  /** Until the first duration is seen. */
  guess(ms: number): void {
    if (this.count > 0 || !(ms > 0)) return;
    this.guessed = true;
    this.work = ms;
    this.logWork = Math.log(ms);
  }

  learn(ms: number, speed: number, logSpeed: number): void {
    const logMs = Math.log(ms);
    const gain = 1 / Math.min(++this.count, MEMORY_OF_GROUP);
    const surprise = this.count === 1 ? 0 : logMs + logSpeed - this.logWork;
    this.work += gain * (ms * speed - this.work);
    this.logWork += gain * (logMs + logSpeed - this.logWork);
    this.spread += gain * (surprise * surprise - this.spread);
  }
}

/** One duration: the node is as fast as that says, the group's tasks are as long, the session's too. */
export function learn(group: Group, turn: Turn, node: Node, took: number): void {
  const ms = Math.max(LEAST_MS, took);
  const { durations } = group;
  const { speed, logSpeed } = node;
  if (durations.count >= 3) {
    const sure = 1 / Math.max(LEAST_SPREAD, durations.spread);
    const seen = durations.logWork - Math.log(ms);
    node.sure = Math.min(node.sure, MEMORY_OF_NODE * sure) + sure;
    node.setSpeed(logSpeed + (sure / node.sure) * (seen - logSpeed));
  }
  durations.learn(ms, speed, logSpeed);
  turn.work += (ms * speed - turn.work) / Math.min(++turn.samples, MEMORY_OF_GROUP);
}

/** Milliseconds a task of the group should take on the node; 0: not known. */
export function expectedMs(group: Group, node: Node): number {
  return group.durations.work / node.speed;
}
