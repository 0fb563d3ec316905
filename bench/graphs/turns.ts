// Contenders take turns, so that a machine whose speed drifts drifts for all of them; a figure is told with its spread.
import { median, round } from "../graph/contest.js";

/** Seconds of one turn, or whatever is compared. */
export type Turn = () => Promise<number>;

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What each contender took, by rounds. Everybody warms up once, and goes first in turn. */
export async function turns<Name extends string>(
  contenders: Readonly<Record<Name, Turn>>,
  rounds: number,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contenders) as Name[];
  const taken = Object.fromEntries(names.map((name): [string, number[]] => [name, []])) as Record<
    Name,
    number[]
  >;
  for (const name of names) await contenders[name]();
  for (let turn = 0; turn < rounds; turn++)
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + turn) % names.length]!;
      taken[name].push(await contenders[name]());
    }
  return taken;
}

export function spread(values: readonly number[]): Spread {
  return { min: round(Math.min(...values)), median: round(median(values)), max: round(Math.max(...values)) };
}

/** Round by round, how many times `a` is `b`. */
export function ratios(a: readonly number[], b: readonly number[]): Spread {
  return spread(a.map((value, i) => value / b[i]!));
}
