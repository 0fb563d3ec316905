// Einstein sums: products of tensors whose axes are named by letters.
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { meet, type Operand } from "../operand.js";
import { compositionRow, maker, type Maker } from "../row.js";
import { printType } from "../shape.js";
import { contract, lengthsOf, type Term } from "./contraction.js";

export const einsum: Maker<(subscripts: string, ...operands: readonly Operand[]) => Expression> = maker(
  compositionRow(
    "einsum",
    "linear",
    'The product of tensors summed over the letters that the result has not, as in einsum("bij,bjk->bik", a, b).',
  ),
  (subscripts: string, ...operands: readonly Operand[]) => {
    const [left, right, ...more] = subscripts.replaceAll(/\s/g, "").split("->");
    const specs = left!.split(",");
    if (
      more.length > 0 ||
      ![...specs, right ?? ""].every((spec) => /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(spec))
    )
      throw refuse(subscripts, "write letters, commas, at most one ... for each operand, and one ->");
    if (specs.length !== operands.length)
      throw refuse(subscripts, `it names ${specs.length} operands, and ${operands.length} were given`);
    const terms = meet("einsum", ...operands).map((x, i) => labelled(subscripts, specs[i]!, x));
    const labels = terms.flatMap((term) => term.labels);
    const out = right === undefined ? implied(labels) : outputLabels(right, labels);
    const unknown = out.find((label, i) => !labels.includes(label) || out.indexOf(label) !== i);
    if (unknown !== undefined)
      throw refuse(subscripts, `the result has "${unknown}", which no operand has, or has it twice`);
    return contract(joined(subscripts, terms), out);
  },
);

/** An operand with a label for each axis. Those under the dots are numbered from the right, so that they broadcast. */
function labelled(subscripts: string, spec: string, x: Expression): Term {
  const [before, after] = spec.split("...") as [string, string | undefined];
  const dotted = x.rank - before.length - (after?.length ?? 0);
  if (after === undefined ? dotted !== 0 : dotted < 0)
    throw refuse(subscripts, `"${spec}" does not name the ${x.rank} axes of ${printType(x.type)}`);
  const dots = Array.from({ length: dotted }, (_, i) => `${dotted - 1 - i}`);
  return { x, labels: [...before, ...dots, ...(after ?? "")] };
}

/** Without an arrow: the axes under the dots, then the letters that stand once, in the order of the alphabet. */
function implied(labels: readonly string[]): string[] {
  const once = labels.filter((label) => !isDot(label) && labels.indexOf(label) === labels.lastIndexOf(label));
  return [...dotsOf(labels), ...once.sort()];
}

function outputLabels(spec: string, labels: readonly string[]): string[] {
  const [before, after] = spec.split("...") as [string, string | undefined];
  return after === undefined ? [...before] : [...before, ...dotsOf(labels), ...after];
}

function dotsOf(labels: readonly string[]): string[] {
  return [...new Set(labels.filter(isDot))].sort((a, b) => Number(b) - Number(a));
}

function isDot(label: string): boolean {
  return /\d/.test(label);
}

/** Terms whose labels stand once, of the lengths they have elsewhere: diagonals taken, axes that broadcast dropped. */
function joined(subscripts: string, terms: readonly Term[]): Term[] {
  const lengths = lengthsOf(terms);
  return terms.map((term) => {
    let { x, labels } = term;
    labels.forEach((label, i) => {
      const [own, wanted] = [x.shape[i]!, lengths.get(label)!];
      if (own !== wanted && own !== 1)
        throw refuse(subscripts, `"${label}" is ${own} in ${printType(x.type)} and ${wanted} elsewhere`);
    });
    const spread = labels.flatMap((label, i) => (x.shape[i] === 1 && lengths.get(label) !== 1 ? i : []));
    x = x.squeeze(spread);
    labels = labels.filter((_, i) => !spread.includes(i));
    for (;;) {
      const again = labels.findIndex((label, i) => labels.indexOf(label) < i);
      if (again < 0) return { x, labels };
      const first = labels.indexOf(labels[again]!);
      x = x.diagonal({ axes: [first, again] });
      labels = [...labels.filter((_, i) => i !== first && i !== again), labels[again]!];
    }
  });
}

function refuse(subscripts: string, why: string): GraphError {
  return new GraphError(`einsum "${subscripts}": ${why}`);
}
