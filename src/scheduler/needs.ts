// What tasks need of a node beyond its service, and what nodes have. Nodes alike in all of it share a pool.
import type { Needs } from "./events.js";

/** What a node has. */
export interface Means {
  readonly memoryMb: number;
  readonly providers: readonly string[];
  readonly labels: readonly string[];
}

/** Memory counts in steps of an eighth, rounded down, so that nodes of about the same size share a pool. */
const STEPS = 8;

export function meansOf(node: {
  readonly memoryMb?: number;
  readonly providers?: readonly string[];
  readonly labels?: readonly string[];
}): Means {
  return {
    memoryMb: roundDown(node.memoryMb ?? 0),
    providers: sorted(node.providers),
    labels: sorted(node.labels),
  };
}

/** The same needs have the same key; none: the empty string. */
export function needsKey(needs: Needs | undefined): string {
  if (needs === undefined) return "";
  const { memoryMb = 0, provider = "", labels } = needs;
  if (memoryMb <= 0 && provider === "" && (labels ?? []).length === 0) return "";
  return JSON.stringify([memoryMb, provider, sorted(labels)]);
}

export function meets(means: Means, { memoryMb = 0, provider = "", labels = [] }: Needs): boolean {
  return (
    means.memoryMb >= memoryMb &&
    (provider === "" || means.providers.includes(provider)) &&
    labels.every((label) => means.labels.includes(label))
  );
}

function roundDown(memoryMb: number): number {
  if (!(memoryMb > 0)) return 0;
  const step = 2 ** Math.floor(Math.log2(memoryMb)) / STEPS;
  return Math.floor(memoryMb / step) * step;
}

function sorted(list: readonly string[] | undefined): string[] {
  return [...new Set(list)].sort();
}
