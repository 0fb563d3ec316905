// Graphs made smaller without changing what they compute.
import { Expression, Node } from "./expression.js";
import { topological } from "./walk.js";

/** The same values from fewer operators. `isInput`: nodes whose value is not known here, and which stay. */
export function simplify(
  outputs: readonly Expression[],
  isInput: (node: Node) => boolean,
): readonly Expression[] {
  const results = new Map<Node, readonly Expression[]>();
  const simple = (x: Expression): Expression => results.get(x.node)![x.index]!;
  for (const node of topological(outputs)) {
    if (isInput(node) || node.row.kind === "source") {
      results.set(node, expressionsOf(node));
      continue;
    }
    const inputs = node.inputs.map(simple);
    results.set(node, node.row.kind === "mark" ? [inputs[0]!] : expressionsOf(withInputs(node, inputs)));
  }
  return outputs.map(simple);
}

function expressionsOf(node: Node): Expression[] {
  return node.types.map((_, i) => new Expression(node, i));
}

function withInputs(node: Node, inputs: readonly Expression[]): Node {
  const same = inputs.every((x, i) => x.node === node.inputs[i]!.node && x.index === node.inputs[i]!.index);
  return same ? node : new Node(node.row, inputs, node.attrs, node.types, node.source);
}
