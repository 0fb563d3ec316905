// Whether this thread stood still for a while: the tab was frozen, or the whole device slept. Nobody tells it so; its clock does.
/** Who stood still for longer was silent for longer than a hub waits. */
const ASLEEP_MS = 2500;
/** A link that breaks so soon after a sleep broke by it. */
const SOON_MS = 10_000;

export class Sleep {
  #lookedAt: number;
  #woke = { at: -Infinity, ms: 0 };

  constructor(now: number) {
    this.#lookedAt = now;
  }

  /** To be called every second. `now` must go on while the device sleeps. Returns whether it has just woken. */
  look(now: number): boolean {
    const ms = now - this.#lookedAt;
    this.#lookedAt = now;
    if (ms <= ASLEEP_MS) return false;
    this.#woke = { at: now, ms };
    return true;
  }

  /** The link has broken: for how long this slept before; 0: that is not the reason. */
  before(now: number): number {
    this.look(now);
    return now - this.#woke.at < SOON_MS ? this.#woke.ms : 0;
  }
}
