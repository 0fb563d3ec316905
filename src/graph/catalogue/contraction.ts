// How tensors whose axes bear labels are multiplied and summed: as matrix products, two tensors at a time, the cheapest pair first. No rows.
import { sizeOf, type Dim } from "../dim.js";
import type { Expression } from "../expression.js";

/** A tensor and the labels of its axes, each once. */
export interface Term {
  readonly x: Expression;
  readonly labels: readonly string[];
}

/** The product of all terms, summed over the labels that `out` has not, with axes in the order of `out`. */
export function contract(terms: readonly Term[], out: readonly string[]): Expression {
  let rest = terms;
  while (rest.length > 1) {
    const [i, j] = cheapest(rest);
    const others = rest.filter((_, k) => k !== i && k !== j);
    rest = [
      ...others,
      product(rest[i]!, rest[j]!, new Set([...out, ...others.flatMap(({ labels }) => labels)])),
    ];
  }
  const last = sumOut(rest[0]!, new Set(out));
  return last.x.transpose(out.map((label) => last.labels.indexOf(label)));
}

/** The pair whose product takes the fewest multiplications; an open length counts as 64. */
function cheapest(terms: readonly Term[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 1];
  let least = Infinity;
  terms.forEach((a, i) => {
    terms.slice(i + 1).forEach((b, k) => {
      const lengths = new Map(
        [a, b].flatMap(({ x, labels }) => labels.map((label, at) => [label, x.shape[at]!])),
      );
      const cost = [...lengths.values()].reduce<number>(
        (n, dim) => n * (typeof dim === "number" ? dim : 64),
        1,
      );
      if (cost < least) [best, least] = [[i, i + 1 + k], cost];
    });
  });
  return best;
}

/** The product of two terms, summed over the labels that only they have and `keep` has not. */
function product(left: Term, right: Term, keep: ReadonlySet<string>): Term {
  const a = sumOut(left, new Set([...keep, ...right.labels]));
  const b = sumOut(right, new Set([...keep, ...left.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => keep.has(label));
  const inner = shared.filter((label) => !keep.has(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...rows, ...columns];
  if (inner.length === 0) return { labels, x: align(a, labels).mul(align(b, labels)) };
  const lengths = (term: Term, own: readonly string[]): Dim[] =>
    own.map((label) => term.x.shape[term.labels.indexOf(label)]!);
  const leading = lengths(a, batch);
  const m = matrix(a, leading, batch, rows, inner);
  const n = matrix(b, leading, batch, inner, columns);
  return { labels, x: m.matmul(n).reshape([...leading, ...lengths(a, rows), ...lengths(b, columns)]) };
}

/** A term as [...batch, rows, columns]. */
function matrix(
  { x, labels }: Term,
  leading: readonly Dim[],
  batch: readonly string[],
  rows: readonly string[],
  columns: readonly string[],
): Expression {
  const ordered = x.transpose([...batch, ...rows, ...columns].map((label) => labels.indexOf(label)));
  const [from, to] = [batch.length, batch.length + rows.length];
  return ordered.reshape([
    ...leading,
    sizeOf(ordered.shape.slice(from, to)),
    sizeOf(ordered.shape.slice(to)),
  ]);
}

/** A term's axes in the order of `labels`, with length 1 for those it has not. */
function align({ x, labels }: Term, all: readonly string[]): Expression {
  const ordered = x.transpose(
    all.filter((label) => labels.includes(label)).map((label) => labels.indexOf(label)),
  );
  return ordered.expandDims(all.flatMap((label, i) => (labels.includes(label) ? [] : i)));
}

function sumOut({ x, labels }: Term, keep: ReadonlySet<string>): Term {
  const gone = labels.flatMap((label, i) => (keep.has(label) ? [] : i));
  return gone.length === 0
    ? { x, labels }
    : { x: x.sum(gone), labels: labels.filter((label) => keep.has(label)) };
}

/** The lengths of labels over all terms: where a term has 1 and another more, the longer. */
export function lengthsOf(terms: readonly Term[]): Map<string, Dim> {
  const lengths = new Map<string, Dim>();
  for (const { x, labels } of terms)
    labels.forEach((label, i) => {
      const dim = x.shape[i]!;
      const before = lengths.get(label);
      if (before === undefined || before === 1) lengths.set(label, dim);
    });
  return lengths;
}
