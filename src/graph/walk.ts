// The order of a graph's nodes: each after its inputs. No recursion, since graphs are deep.
import type { Expression, Node } from "./expression.js";

/** Every node behind `outputs`, inputs first; the order depends on structure only. */
export function topological(outputs: readonly Expression[]): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  for (const { node } of outputs) {
    const stack: { node: Node; next: number }[] = done.has(node) ? [] : [{ node, next: 0 }];
    done.add(node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const child = top.node.inputs[top.next++]?.node;
      if (child === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!done.has(child)) {
        done.add(child);
        stack.push({ node: child, next: 0 });
      }
    }
  }
  return order;
}
