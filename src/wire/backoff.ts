// How long to wait before the next try: exponential with full jitter, so that a thousand nodes do not come back at once.

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { firstMs: 50, maxMs: 2000 };

/** The wait before retry number `retry` (from 0): uniform in [0, min(max, first * 2^retry)). */
export function backoffMs({ firstMs, maxMs }: Backoff, retry: number, random: () => number): number {
  return random() * Math.min(maxMs, firstMs * 2 ** retry);
}
