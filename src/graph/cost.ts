// What a graph costs to run: FLOPs by the cost column, and the bytes that its operators read and write.
import { DTYPES } from "../tensor/index.js";
import { bindDim, bindShape, type Binding } from "./dim.js";
import type { Node } from "./expression.js";
import { bindAttrs } from "./interpreter.js";
import { count } from "./nd.js";
import type { Type } from "./shape.js";

export interface Cost {
  readonly flops: number;
  /** Read and written by all operators, as if nothing were fused. */
  readonly bytes: number;
}

/** Of `nodes`, in the order in which they run; a length that only running tells counts as the most it can be. */
export function costOf(nodes: readonly Node[], given: Binding): Cost {
  const binding = withBounds(nodes, given);
  let flops = 0;
  let bytes = 0;
  for (const node of nodes) {
    const cost = nodeCost(node, binding);
    flops += cost.flops;
    bytes += cost.bytes;
  }
  return { flops, bytes };
}

/** `binding`, and the most that each length can be that only running tells. */
export function withBounds(nodes: readonly Node[], binding: Binding): Binding {
  const all: Record<string, number> = { ...binding };
  for (const { row, inputs, attrs } of nodes)
    for (const [symbol, most] of Object.entries(
      row.bounds?.(
        inputs.map((x) => x.type),
        attrs,
      ) ?? {},
    ))
      all[symbol] ??= bindDim(most, all);
  return all;
}

export function nodeCost(node: Node, binding: Binding): Cost {
  if (node.row.kind === "source" || node.row.kind === "mark") return { flops: 0, bytes: 0 };
  const inputs = node.inputs.map((x) => bindType(x.type, binding));
  const outputs = node.types.map((type) => bindType(type, binding));
  return {
    flops: node.row.flops({ inputs, outputs, attrs: bindAttrs(node.row, node.attrs, binding) }),
    bytes: [...inputs, ...outputs].reduce((sum, type) => sum + bytesOf(type), 0),
  };
}

export function bindType({ dtype, shape }: Type, binding: Binding): Type {
  return { dtype, shape: bindShape(shape, binding) };
}

/** The bytes of a value whose shape is bound. */
export function bytesOf({ dtype, shape }: Type): number {
  return DTYPES[dtype].bytes * count(shape as readonly number[]);
}
