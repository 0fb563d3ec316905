// How many tasks a node asks to hold: its slots, and beyond them as many as run in the time a new one needs to arrive.
// Programs are given ahead even where they are long, so that their inputs come while the slots are busy.
/** Milliseconds of work to hold ready: a few round trips to the hub, less than anybody notices. */
const HOLD_MS = 10;
const MAX_WINDOW = 4096;
/** Weight of the newest measurement. */
const ALPHA = 0.2;

export class Credit {
  #slots: number;
  /** The least that it asks for beyond the slots. */
  #ahead: number;
  #meanMs = Infinity;
  /** What the hub was last told. */
  told: number;

  constructor(slots: number, ahead = 0) {
    this.#slots = slots;
    this.#ahead = ahead;
    this.told = slots;
  }

  resize(slots: number): void {
    if (this.#ahead > 0) this.#ahead = slots;
    this.#slots = slots;
  }

  /** `count` tasks took `ms` milliseconds each on average. */
  measured(count: number, ms: number): void {
    if (this.#meanMs === Infinity) this.#meanMs = ms;
    else this.#meanMs += (ms - this.#meanMs) * Math.min(1, ALPHA * count);
  }

  get window(): number {
    const beyond = Math.floor((this.#slots * HOLD_MS) / Math.max(this.#meanMs, 0.001));
    return Math.min(MAX_WINDOW, this.#slots + Math.max(this.#ahead, beyond));
  }

  /** The new window when the hub should hear of it: small changes are not worth a message. */
  news(): number | undefined {
    const { window } = this;
    const ratio = window / this.told;
    if (ratio > 0.67 && ratio < 1.5) return undefined;
    this.told = window;
    return window;
  }
}
