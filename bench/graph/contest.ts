// Contenders for one figure take turns, so that a machine whose speed drifts drifts for all of them.
/** Runs so many steps; seconds a step. */
export type Contender = (steps: number) => Promise<number>;

export interface Standing {
  /** Seconds a step in the best round. */
  readonly best: number;
  /** The median over the rounds of (the first contender's seconds / this one's): above 1, this one is faster. */
  readonly ratio: number;
}

/** The first contender is the one that the others are held against. */
export async function contest(
  contenders: Readonly<Record<string, Contender>>,
  { rounds, steps }: { readonly rounds: number; readonly steps: number },
): Promise<Record<string, Standing>> {
  const names = Object.keys(contenders);
  const seconds = new Map(names.map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++)
    // Everybody follows everybody in turn, and warms up: the caches are another's.
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length]!;
      await contenders[name]!(Math.ceil(steps / 4));
      seconds.get(name)!.push(await contenders[name]!(steps));
    }
  const first = seconds.get(names[0]!)!;
  return Object.fromEntries(
    names.map((name) => {
      const own = seconds.get(name)!;
      return [name, { best: Math.min(...own), ratio: median(own.map((value, i) => first[i]! / value)) }];
    }),
  );
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

export function round(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}

export function print(line: Record<string, unknown>): void {
  console.log(JSON.stringify(line));
}
