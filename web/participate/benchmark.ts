// What this device is good at, measured for a moment in the node's own thread.
export interface Figures {
  /** Floating-point operations a second, and bytes of memory a second, of one slot. */
  readonly flops: number;
  readonly memory: number;
}

const SIZE = 96;
const TRIES_MS = 120;

/** Takes about a quarter of a second. */
export function measure(): Figures {
  return { flops: multiply(), memory: copy() };
}

function multiply(): number {
  const n = SIZE;
  const a = new Float32Array(n * n).map((_, i) => (i % 7) - 3);
  const b = new Float32Array(n * n).map((_, i) => (i % 5) - 2);
  const c = new Float32Array(n * n);
  return best(() => {
    for (let i = 0; i < n; i++)
      for (let k = 0; k < n; k++) {
        const x = a[i * n + k]!;
        for (let j = 0; j < n; j++) c[i * n + j]! += x * b[k * n + j]!;
      }
    return 2 * n ** 3;
  });
}

function copy(): number {
  const from = new Float64Array(512 * 1024);
  const to = new Float64Array(from.length);
  return best(() => {
    to.set(from);
    return 2 * from.byteLength;
  });
}

/** The best rate, of work a second, seen within a moment. */
function best(run: () => number): number {
  const end = performance.now() + TRIES_MS;
  let rate = 0;
  do {
    const from = performance.now();
    let work = 0;
    // Clocks of pages are coarse: long enough to be seen.
    do work += run();
    while (performance.now() - from < 8);
    rate = Math.max(rate, (work * 1000) / (performance.now() - from));
  } while (performance.now() < end);
  return rate;
}
