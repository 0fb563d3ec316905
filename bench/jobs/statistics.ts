// Medians and tails of samples.
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export function quantiles(samples: Float64Array): Quantiles {
  const sorted = samples.slice().sort();
  const at = (q: number) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(4));
  return { p50: at(0.5), p99: at(0.99) };
}

export function print(line: Record<string, unknown>): void {
  console.log(JSON.stringify(line));
}
