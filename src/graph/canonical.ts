// Graphs in canonical form: simplified, equal subexpressions once, names by position, so that equal structure gives equal bytes.
import { encodeTensor } from "../tensor/index.js";
import { renameDim, symbolsOf, type Dim, type Shape } from "./dim.js";
import { Expression, Node } from "./expression.js";
import type { Attrs, AttrValue, NodeRow } from "./row.js";
import type { Type } from "./shape.js";
import { INLINE_BYTES, simplify } from "./simplify.js";
import { inputRow } from "./source.js";
import { freshSymbols, inRunOrder, symbolsOfAttrs } from "./walk.js";

export interface CanonicalGraph {
  /** In the order in which they run. */
  readonly nodes: readonly Node[];
  /** The inputs `i0`, `i1`, ... and the node of the user's graph that each stands for. */
  readonly inputs: readonly { readonly node: Node; readonly origin: Node }[];
  readonly outputs: readonly Expression[];
  /** The user's symbols, and what they are called here. */
  readonly symbols: ReadonlyMap<string, string>;
}

/**
 * The canonical form of the graph behind `outputs`; `declared` are its inputs, constants among them whatever their size.
 * A declared input that nothing reads stays out, unless it alone knows the value of a symbol.
 */
export function canonicalize(outputs: readonly Expression[], declared: ReadonlySet<Node>): CanonicalGraph {
  const isInput = (node: Node): boolean =>
    node.row === inputRow ||
    declared.has(node) ||
    (node.source?.value !== undefined && node.source.value.bytes > INLINE_BYTES);
  const simple = simplify(outputs, isInput);
  const symbols = new SymbolNames();
  const unique = new Map<string, Node>();
  const ids = new Map<Node, number>();
  const twins = new Map<Node, Node>();
  const inputs: { node: Node; origin: Node }[] = [];
  for (const node of withSymbols(inRunOrder(simple), declared)) {
    if (isInput(node)) {
      const twin = new Node(inputRow, [], {}, symbols.inTypes(node.types), { name: `i${inputs.length}` });
      ids.set(twin, ids.size);
      twins.set(node, twin);
      inputs.push({ node: twin, origin: node });
      continue;
    }
    const operands = node.inputs.map((x) => new Expression(twins.get(x.node)!, x.index));
    if (node.row.kind === "tensor" && node.row.commutative)
      operands.sort((a, b) => ids.get(a.node)! - ids.get(b.node)! || a.index - b.index);
    const fresh = freshSymbols(node);
    const attrs = symbols.inAttrs(node.row, node.attrs);
    const key = [
      node.row.name,
      operands.map((x) => `${ids.get(x.node)}.${x.index}`).join(),
      JSON.stringify(attrs, spelled),
      node.source?.value ? encodeTensor(node.source.value).join() : "",
    ].join("|");
    let twin = unique.get(key);
    if (twin) symbols.unite(fresh, freshSymbols(twin));
    else {
      const own = { ...attrs, ...symbols.inFresh(node) };
      twin = new Node(
        node.row,
        operands,
        own,
        symbols.inTypes(node.types),
        node.source?.value && { value: node.source.value },
        node,
      );
      ids.set(twin, ids.size);
      unique.set(key, twin);
    }
    twins.set(node, twin);
  }
  return {
    nodes: [...ids.keys()],
    inputs,
    outputs: simple.map((x) => new Expression(twins.get(x.node)!, x.index)),
    symbols: symbols.names,
  };
}

/** The nodes with, in front, those declared inputs without which a symbol that some node computes with would have no value. */
function withSymbols(order: readonly Node[], declared: ReadonlySet<Node>): readonly Node[] {
  const known = new Set(
    order.flatMap((node) =>
      node.row.kind === "source" ? node.types.flatMap(ownSymbols) : freshSymbols(node),
    ),
  );
  const added: Node[] = [];
  for (const symbol of order.flatMap(symbolsOfAttrs)) {
    if (known.has(symbol)) continue;
    const source = [...declared].find((node) => node.types.flatMap(ownSymbols).includes(symbol));
    if (!source) continue;
    added.push(source);
    for (const each of source.types.flatMap(ownSymbols)) known.add(each);
  }
  return added.length === 0 ? order : [...added, ...order];
}

/** The symbols that are a dimension of their own, so that a value tells them. */
function ownSymbols({ shape }: Type): string[] {
  return shape.filter((dim): dim is string => typeof dim === "string" && symbolsOf(dim)[0] === dim);
}

/** Symbols called `d0`, `d1`, ... in the order in which they are met. */
class SymbolNames {
  readonly names = new Map<string, string>();
  private count = 0;

  inDim(dim: Dim): Dim {
    if (typeof dim === "number") return dim;
    for (const symbol of symbolsOf(dim))
      if (!this.names.has(symbol)) this.names.set(symbol, `d${this.count++}`);
    return renameDim(dim, this.names);
  }

  inShape(shape: Shape): Shape {
    return shape.map((dim) => this.inDim(dim));
  }

  inTypes(types: readonly Type[]): Type[] {
    return types.map(({ dtype, shape }) => ({ dtype, shape: this.inShape(shape) }));
  }

  /** Arguments in the order of their names, without those that are fresh symbols: two equal operators have the same lengths. */
  inAttrs(row: NodeRow, attrs: Attrs): Attrs {
    const kinds = { ...row.attributes, ...row.operands };
    const out: Record<string, AttrValue> = {};
    for (const key of Object.keys(attrs).sort()) {
      const value = attrs[key];
      if (value === undefined || kinds[key] === "fresh") continue;
      if (kinds[key] === "dims") out[key] = this.inShape(value as Shape);
      else if (kinds[key] === "dim") out[key] = this.inDim(value as Dim);
      else out[key] = value;
    }
    return out;
  }

  inFresh({ row, attrs }: Node): Attrs {
    return Object.fromEntries(
      Object.entries(row.attributes ?? {}).flatMap(([key, kind]) =>
        kind === "fresh" ? [[key, this.inDim(attrs[key] as string)]] : [],
      ),
    );
  }

  /** `symbols` are what `names` stand for already. */
  unite(symbols: readonly string[], names: readonly string[]): void {
    symbols.forEach((symbol, i) => this.names.set(symbol, names[i]!));
  }
}

/** JSON has no infinities and no NaN, which would all become one. */
function spelled(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
