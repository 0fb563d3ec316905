// Programs take from microseconds to hours. For the scheduler, those of about one size are one service, so that what it learns
// of durations is of use; every node with an engine offers all of them.

/** The machine that a class is reckoned for: floating-point operations and bytes of memory a second. */
export const REFERENCE = { flops: 2e10, memory: 1e10 };
/** Each class is this many times as long as the one before; the first ends at a tenth of a millisecond. */
const STEP = 4;
const FIRST_MS = 0.1;
const COUNT = 16;

const name = (index: number): string => `program:${index}`;

/** The services of a node that computes programs. */
export const PROGRAM_SERVICES: readonly string[] = Array.from({ length: COUNT }, (_, i) => name(i));

/** Milliseconds on the reference machine. */
export function expectedMs({ flops, memory }: { flops: number; memory: number }): number {
  return 1000 * Math.max(flops / REFERENCE.flops, memory / REFERENCE.memory);
}

export function sizeClass(work: { flops: number; memory: number }): string {
  const steps = Math.ceil(Math.log(Math.max(expectedMs(work), 1e-9) / FIRST_MS) / Math.log(STEP));
  return name(Math.min(COUNT - 1, Math.max(0, steps)));
}
