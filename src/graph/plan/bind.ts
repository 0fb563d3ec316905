// A canonical graph for given lengths: every symbol that an input tells is a number; those that only running tells stay.
import type { CanonicalGraph } from "../canonical.js";
import { dimension } from "../creation.js";
import { isStatic, substitute, type Binding, type Dim, type Shape } from "../dim.js";
import { GraphError } from "../error.js";
import { Expression, Node } from "../expression.js";
import type { Attrs, AttrValue } from "../row.js";
import { printType, type Type } from "../shape.js";
import { dimensionRow } from "../source.js";

export interface BoundGraph {
  readonly outputs: readonly Expression[];
  /** The inputs of the graph, in its order. */
  readonly inputs: readonly Node[];
}

/** `lengths` are by the graph's own names of the symbols. Throws a GraphError where one that an input has is missing. */
export function bindGraph(graph: CanonicalGraph, lengths: Binding): BoundGraph {
  const copies = new Map<Node, readonly Expression[]>();
  for (const node of graph.nodes) {
    const types = node.types.map((type) => bindType(type, lengths));
    if (node.row === dimensionRow && typeof substitute(node.attrs.dim as Dim, lengths) === "number") {
      copies.set(node, [dimension(substitute(node.attrs.dim as Dim, lengths), types[0]!.dtype)]);
      continue;
    }
    const inputs = node.inputs.map((x) => copies.get(x.node)![x.index]!);
    const copy = new Node(node.row, inputs, bindArguments(node, lengths), types, node.source, node);
    copies.set(
      node,
      types.map((_, i) => new Expression(copy, i)),
    );
  }
  const inputs = graph.inputs.map(({ node }) => copies.get(node)![0]!.node);
  inputs.forEach((node, i) => {
    if (isStatic(node.types[0]!.shape)) return;
    const { origin } = graph.inputs[i]!;
    throw new GraphError(
      `plan: the input ${origin.source?.name ?? i} is ${printType(origin.types[0]!)}; a plan is made for known lengths: give them, as in { lengths: { batch: 64 } }`,
    );
  });
  return { outputs: graph.outputs.map((x) => copies.get(x.node)![x.index]!), inputs };
}

function bindType({ dtype, shape }: Type, lengths: Binding): Type {
  return { dtype, shape: bindDims(shape, lengths) };
}

function bindDims(shape: Shape, lengths: Binding): Shape {
  return shape.map((dim) => substitute(dim, lengths));
}

function bindArguments({ row, attrs }: Node, lengths: Binding): Attrs {
  const kinds = { ...row.attributes, ...row.operands };
  return Object.fromEntries(
    Object.entries(attrs).map(([key, value]): [string, AttrValue] => {
      if (value !== undefined && kinds[key] === "dims") return [key, bindDims(value as Shape, lengths)];
      if (value !== undefined && kinds[key] === "dim") return [key, substitute(value as Dim, lengths)];
      return [key, value];
    }),
  );
}
