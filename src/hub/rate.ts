// How much of something a connection may do, over a few seconds.

/** A burst may take what this many seconds would. */
const BURST_SECONDS = 4;

/** Lets `perSecond` through on average. */
export class Rate {
  #left: number;
  #at = 0;

  constructor(readonly perSecond: number) {
    this.#left = perSecond * BURST_SECONDS;
  }

  /** Whether `count` more fit, at `now` as performance.now(). */
  take(count: number, now: number): boolean {
    const gained = ((now - this.#at) / 1000) * this.perSecond;
    this.#left = Math.min(this.perSecond * BURST_SECONDS, this.#left + gained) - count;
    this.#at = now;
    return this.#left >= 0;
  }
}
