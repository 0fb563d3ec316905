// Dimensions: whole numbers, or symbols such as "batch" with the polynomials that arise from them ("2*batch+1").
import { GraphError } from "./error.js";

/** A dimension: a whole number, or a canonical polynomial in symbols, written as text. */
export type Dim = number | string;
export type Shape = readonly Dim[];
/** What each symbol stands for in one run. */
export type Binding = Readonly<Record<string, number>>;

/** Monomial ("" for the constant, "batch*time") to coefficient. */
type Polynomial = Map<string, number>;

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === "number");
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const sum = parse(a);
  for (const [term, k] of parse(b)) sum.set(term, (sum.get(term) ?? 0) + k);
  return print(sum);
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  const product: Polynomial = new Map();
  const right = parse(b);
  expectTerms(parse(a).size * right.size);
  for (const [s, j] of parse(a))
    for (const [t, k] of right) {
      const term = [...s.split("*"), ...t.split("*")].filter(Boolean).sort().join("*");
      product.set(term, (product.get(term) ?? 0) + j * k);
    }
  return print(product);
}

/** `a / b` where it comes out even for every binding, else undefined. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return 1;
  if (b === 0) return undefined;
  const divisor = [...parse(b)];
  if (divisor.length !== 1) return undefined;
  const [name, k] = divisor[0]!;
  const out: Polynomial = new Map();
  for (const [term, coefficient] of parse(a)) {
    const factors = term.split("*").filter(Boolean);
    for (const factor of name.split("*").filter(Boolean)) {
      const at = factors.indexOf(factor);
      if (at < 0) return undefined;
      factors.splice(at, 1);
    }
    if (coefficient % k !== 0) return undefined;
    out.set(factors.join("*"), coefficient / k);
  }
  return print(out);
}

let born = 0;

/** A symbol that nobody else has, for a length that only running tells; its row says at most how long in `bounds`. */
export function freshSymbol(prefix: string): string {
  return `${prefix}#${++born}`;
}

/** The number of elements of a shape. */
export function sizeOf(shape: Shape): Dim {
  return shape.reduce<Dim>(mulDims, 1);
}

/** The symbols of a dimension. */
export function symbolsOf(dim: Dim): string[] {
  if (typeof dim === "number") return [];
  return [...new Set([...parse(dim).keys()].flatMap((term) => term.split("*").filter(Boolean)))];
}

/** The value of a dimension; throws where a symbol has none. */
export function bindDim(dim: Dim, binding: Binding): number {
  if (typeof dim === "number") return dim;
  let total = 0;
  for (const [term, k] of parse(dim))
    total += term
      .split("*")
      .filter(Boolean)
      .reduce((product, name) => product * valueOf(name, binding), k);
  return total;
}

/** The dimension with the symbols that `binding` knows replaced; the others stay. */
export function substitute(dim: Dim, binding: Binding): Dim {
  if (typeof dim === "number") return dim;
  return termsOf(dim)
    .map(({ coefficient, symbols }) =>
      symbols.map((name): Dim => binding[name] ?? name).reduce(mulDims, coefficient as Dim),
    )
    .reduce(addDims, 0 as Dim);
}

export function bindShape(shape: Shape, binding: Binding): number[] {
  return shape.map((dim) => bindDim(dim, binding));
}

/** The terms of a dimension: each a coefficient and its symbols; for those who compute it at run time. */
export function termsOf(dim: Dim): { readonly coefficient: number; readonly symbols: readonly string[] }[] {
  return [...parse(dim)].map(([term, coefficient]) => ({
    coefficient,
    symbols: term.split("*").filter(Boolean),
  }));
}

/** The same dimension under other symbol names. */
export function renameDim(dim: Dim, names: ReadonlyMap<string, string>): Dim {
  if (typeof dim === "number") return dim;
  const out: Polynomial = new Map();
  for (const [term, k] of parse(dim)) {
    const renamed = term
      .split("*")
      .filter(Boolean)
      .map((name) => names.get(name) ?? name)
      .sort()
      .join("*");
    out.set(renamed, (out.get(renamed) ?? 0) + k);
  }
  return print(out);
}

/** Throws unless `shape` is made of whole numbers from 0 and symbol names. */
export function checkShape(who: string, shape: Shape): void {
  for (const dim of shape)
    if (
      typeof dim === "number"
        ? !Number.isInteger(dim) || dim < 0
        : !/^[\w.*+-]+$/.test(dim) || /^\d/.test(dim)
    )
      throw new GraphError(
        `${who}: shape [${shape.join(",")}] holds ${JSON.stringify(dim)}; a dimension is a whole number from 0 or a name such as "batch"`,
      );
}

function valueOf(name: string, binding: Binding): number {
  const value = binding[name];
  if (value === undefined)
    throw new GraphError(
      `the dimension "${name}" has no value here; known: ${Object.keys(binding).join(", ") || "none"}`,
    );
  return value;
}

function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  const out: Polynomial = new Map();
  for (const term of dim.split(/(?=[+-])/)) {
    let k = term.startsWith("-") ? -1 : 1;
    const names: string[] = [];
    for (const factor of term.replace(/^[+-]/, "").split("*"))
      if (/^\d+$/.test(factor)) k *= Number(factor);
      else names.push(factor);
    const key = names.sort().join("*");
    out.set(key, (out.get(key) ?? 0) + k);
  }
  return out;
}

/** A sum of so many terms comes from no real model, and multiplying such sums takes for ever. */
const TERMS = 256;

function expectTerms(terms: number): void {
  if (terms > TERMS)
    throw new GraphError(
      `a dimension is a sum of up to ${terms} terms; at most ${TERMS} are followed: give its symbols lengths`,
      "limit",
    );
}

function print(polynomial: Polynomial): Dim {
  expectTerms(polynomial.size);
  const terms = [...polynomial].filter(([, k]) => k !== 0).sort(([a], [b]) => (a < b ? 1 : -1));
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0]![0] === "") return terms[0]![1];
  // A positive term first, so that the text never starts with a sign.
  terms.sort(([, j], [, k]) => Number(j < 0) - Number(k < 0));
  return terms
    .map(([term, k], i) => {
      const size = Math.abs(k);
      const body = term === "" ? `${size}` : size === 1 ? term : `${term}*${size}`;
      return `${k < 0 ? "-" : i > 0 ? "+" : ""}${body}`;
    })
    .join("");
}
