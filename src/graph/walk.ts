// The order of a graph's nodes: each after its inputs. No recursion, since graphs are deep.
import { symbolsOf, type Dim } from "./dim.js";
import type { Expression, Node } from "./expression.js";

/** Every node behind `outputs`, inputs first; the order depends on structure only. */
export function topological(outputs: readonly Expression[]): Node[] {
  return walk(outputs, ({ inputs }, i) => inputs[i]?.node);
}

/** The same, and each node also after the one whose result tells the length of a symbol that it computes with. */
export function inRunOrder(outputs: readonly Expression[]): Node[] {
  const order = topological(outputs);
  const makers = new Map<string, Node>();
  for (const node of order) for (const symbol of freshSymbols(node)) makers.set(symbol, node);
  if (makers.size === 0) return order;
  const before = new Map(
    order.map((node) => [
      node,
      [
        ...node.inputs.map((x) => x.node),
        ...symbolsOfAttrs(node).flatMap((symbol) => makers.get(symbol) ?? []),
      ],
    ]),
  );
  return walk(outputs, (node, i) => before.get(node)![i]);
}

/** The symbols of lengths that running this node tells. */
export function freshSymbols({ row, attrs }: Node): string[] {
  return row.bounds === undefined
    ? []
    : Object.entries(row.attributes ?? {}).flatMap(([key, kind]) =>
        kind === "fresh" ? [attrs[key] as string] : [],
      );
}

/** The symbols in a node's arguments: their values must be known when it runs. */
export function symbolsOfAttrs({ row, attrs }: Node): string[] {
  return Object.entries({ ...row.attributes, ...row.operands }).flatMap(([key, kind]) => {
    const value = attrs[key];
    if (value === undefined || (kind !== "dims" && kind !== "dim")) return [];
    return (typeof value === "object" ? value : [value as Dim]).flatMap(symbolsOf);
  });
}

function walk(outputs: readonly Expression[], child: (node: Node, i: number) => Node | undefined): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  for (const { node } of outputs) {
    const stack: { node: Node; next: number }[] = done.has(node) ? [] : [{ node, next: 0 }];
    done.add(node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const next = child(top.node, top.next++);
      if (next === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!done.has(next)) {
        done.add(next);
        stack.push({ node: next, next: 0 });
      }
    }
  }
  return order;
}
