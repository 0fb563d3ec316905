// What a session is entitled to, over all services: its weight beside others, and how many of its tasks may run at once.
import type { SessionId } from "../ids/index.js";
import type { Turn } from "./group.js";

export class Share {
  weight = 1;
  maxRunning = Infinity;
  /** Tasks with at least one live attempt, waiting at their node or running. */
  running = 0;
  /** Its places in the orders of the services it uses. */
  readonly turns = new Set<Turn>();

  constructor(readonly session: SessionId) {}

  get full(): boolean {
    return this.running >= this.maxRunning;
  }

  get plain(): boolean {
    return this.weight === 1 && this.maxRunning === Infinity;
  }

  started(): void {
    if (++this.running === this.maxRunning) for (const turn of this.turns) turn.group.park(turn);
  }

  /** The groups that may go on because of it are the caller's to wake. */
  ended(): boolean {
    const was = this.full;
    this.running--;
    if (!was || this.full) return false;
    for (const turn of this.turns) turn.group.unpark(turn);
    return true;
  }

  set(weight: number, maxRunning: number): void {
    this.weight = weight;
    this.maxRunning = maxRunning;
    for (const turn of this.turns)
      if (this.full) turn.group.park(turn);
      else turn.group.unpark(turn);
  }
}
