// Chance that does not depend on order: every draw is a hash of the seed and of what it is for, so that taking one event
// out of a run (to shrink it) changes nothing else.

/** 32 well mixed bits of three numbers. */
export function hash(seed: number, what: number, which: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(what + 0x7f4a7c15, 0xc2b2ae35);
  h =
    Math.imul(h ^ (h >>> 16), 0x21f0aaad) ^
    Math.imul(which | 0, 0x735a2d97) ^
    Math.floor(which / 0x100000000);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  return (h ^ (h >>> 15)) >>> 0;
}

/** What a draw is for: two draws for different purposes have nothing to do with each other. */
export const FOR = {
  speed: 1,
  speed2: 2,
  size: 3,
  straggler: 4,
  failure: 5,
  finality: 6,
  leaveAt: 7,
  leaves: 8,
  lies: 9,
  latency: 10,
  latency2: 11,
  trouble: 12,
  inputs: 13,
  redial: 14,
  stubborn: 15,
  silence: 16,
  fetch: 17,
  place: 18,
  bytes: 19,
} as const;

/** In (0, 1). */
export function uniform(seed: number, what: number, which: number): number {
  return (hash(seed, what, which) + 0.5) / 4294967296;
}

/** Standard normal (Box and Muller), from two draws. */
export function normal(seed: number, what: number, what2: number, which: number): number {
  const radius = Math.sqrt(-2 * Math.log(uniform(seed, what, which)));
  return radius * Math.cos(2 * Math.PI * uniform(seed, what2, which));
}

/** A stream of draws, for building scripts, where order is fixed anyway. */
export class Stream {
  private count = 0;
  constructor(
    private readonly seed: number,
    private readonly what: number,
  ) {}

  next(): number {
    return uniform(this.seed, this.what, this.count++);
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }
}
