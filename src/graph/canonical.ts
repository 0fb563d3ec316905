// Graphs in canonical form: no dead code, equal subexpressions once, names by position, so that equal structure gives equal bytes.
import { encodeTensor } from "../tensor/index.js";
import { renameDim, symbolsOf, type Dim, type Shape } from "./dim.js";
import { Expression, Node } from "./expression.js";
import type { Attrs, AttrValue, NodeRow } from "./row.js";
import type { Type } from "./shape.js";
import { inputRow } from "./source.js";
import { topological } from "./walk.js";

/** Constants of more bytes than this are inputs of the program: equal structure with other weights is the same program. */
export const INLINE_BYTES = 64;

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
  const order = withSymbols(topological(outputs), declared);
  const isInput = (node: Node): boolean =>
    node.row === inputRow ||
    declared.has(node) ||
    (node.source?.value !== undefined && node.source.value.bytes > INLINE_BYTES);
  const symbols = nameSymbols(order);
  const unique = new Map<string, Node>();
  const ids = new Map<Node, number>();
  const twins = new Map<Node, Node>();
  const inputs: { node: Node; origin: Node }[] = [];
  for (const node of order) {
    const types = node.types.map(({ dtype, shape }) => ({ dtype, shape: rename(shape, symbols) }));
    if (isInput(node)) {
      const twin = new Node(inputRow, [], {}, types, { name: `i${inputs.length}` });
      ids.set(twin, ids.size);
      twins.set(node, twin);
      inputs.push({ node: twin, origin: node });
      continue;
    }
    const operands = node.inputs.map((x) => new Expression(twins.get(x.node)!, x.index));
    const attrs = renameAttrs(node.row, node.attrs, symbols);
    const key = [
      node.row.name,
      operands.map((x) => `${ids.get(x.node)}.${x.index}`).join(),
      JSON.stringify(attrs),
      node.source?.value ? encodeTensor(node.source.value).join() : "",
    ].join("|");
    let twin = unique.get(key);
    if (!twin) {
      twin = new Node(node.row, operands, attrs, types, node.source?.value && { value: node.source.value });
      ids.set(twin, ids.size);
      unique.set(key, twin);
    }
    twins.set(node, twin);
  }
  return {
    nodes: [...ids.keys()],
    inputs,
    outputs: outputs.map((x) => new Expression(twins.get(x.node)!, x.index)),
    symbols,
  };
}

/** The nodes with, in front, those declared inputs without which a symbol that some node computes with would have no value. */
function withSymbols(order: readonly Node[], declared: ReadonlySet<Node>): readonly Node[] {
  const known = new Set(
    order.flatMap((node) => (node.row.kind === "source" ? node.types.flatMap(ownSymbols) : [])),
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

function symbolsOfAttrs({ row, attrs }: Node): string[] {
  return Object.entries({ ...row.attributes, ...row.operands }).flatMap(([key, kind]) => {
    const value = attrs[key];
    if (value === undefined || (kind !== "dims" && kind !== "dim")) return [];
    return (typeof value === "object" ? value : [value as Dim]).flatMap(symbolsOf);
  });
}

function nameSymbols(order: readonly Node[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const node of order)
    for (const { shape } of node.types)
      for (const symbol of shape.flatMap(symbolsOf))
        if (!names.has(symbol)) names.set(symbol, `d${names.size}`);
  return names;
}

function rename(shape: Shape, symbols: ReadonlyMap<string, string>): Shape {
  return shape.map((dim) => renameDim(dim, symbols));
}

/** Arguments in the order of their names, their dimensions renamed. */
function renameAttrs(row: NodeRow, attrs: Attrs, symbols: ReadonlyMap<string, string>): Attrs {
  const kinds = { ...row.attributes, ...row.operands };
  const out: Record<string, AttrValue> = {};
  for (const key of Object.keys(attrs).sort()) {
    const value = attrs[key];
    if (value === undefined) continue;
    if (kinds[key] === "dims") out[key] = rename(value as Shape, symbols);
    else if (kinds[key] === "dim") out[key] = renameDim(value as Dim, symbols);
    else out[key] = value;
  }
  return out;
}
