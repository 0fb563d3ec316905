// The most bytes that a graph's values take at one moment, each living from the operator that makes it to the last that reads it.
import { DTYPES } from "../../tensor/index.js";
import { withBounds } from "../cost.js";
import { bindDim, type Binding } from "../dim.js";
import type { Type } from "../shape.js";
import type { Expression, Node } from "../expression.js";

/** `nodes` in the order in which they run. Inputs, constants and outputs live throughout. */
export function peakMemory(nodes: readonly Node[], outputs: readonly Expression[], lengths: Binding): number {
  const binding = withBounds(nodes, lengths);
  const last = new Map<Node, number>();
  nodes.forEach((node, i) => {
    for (const x of node.inputs) last.set(x.node, i);
  });
  for (const { node } of outputs) last.set(node, nodes.length);
  const dying = nodes.map((): Node[] => []);
  const sizes = new Map(
    nodes.map((node) => [node, node.types.reduce((sum, type) => sum + bytesAt(type, binding), 0)]),
  );
  for (const [i, node] of nodes.entries())
    if (node.row.kind !== "source") dying[last.get(node) ?? i]?.push(node);
  let live = nodes.reduce((sum, node) => (node.row.kind === "source" ? sum + sizes.get(node)! : sum), 0);
  let peak = live;
  nodes.forEach((node, i) => {
    if (node.row.kind !== "source") live += sizes.get(node)!;
    // What cannot be added up (infinite sizes) must not pass for small.
    if (!(live <= peak)) peak = live;
    for (const dead of dying[i]!) live -= sizes.get(dead)!;
  });
  return peak;
}

/** A length below 0 (a symbol too short for the model) counts as none. */
function bytesAt({ dtype, shape }: Type, binding: Binding): number {
  return shape.reduce<number>((size, dim) => size * Math.max(0, bindDim(dim, binding)), DTYPES[dtype].bytes);
}
