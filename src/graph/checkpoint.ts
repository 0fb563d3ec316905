// Rematerialisation: what a function computes on the way is computed again for the gradient, not kept until then.
import { Expression, Node, apply } from "./expression.js";
import { pullBack } from "./gradient.js";
import { markRow } from "./row.js";
import { isFloat } from "./shape.js";
import { topological } from "./walk.js";

/**
 * Inputs: the result, then the frontier it is made from, of which the first `args` are the function's arguments.
 * Its gradient rebuilds the result from the frontier and differentiates that.
 */
const checkpointRow = markRow({
  name: "checkpoint",
  doc: "The same values; the gradient computes what lies between again.",
  gradient: ({ inputs: [y, ...frontier], g, attrs }) => {
    // A choice between a value and itself: whatever the answer, it is there only once the gradient is.
    const go = g.sum().greater(0);
    const again = frontier.map((x, i) => (i < (attrs.args as number) ? go.where(x, x) : apply(edgeRow, [x])));
    const floats = again.filter((x) => isFloat(x.dtype));
    const grads = pullBack([[rebuild(y!, frontier, again), g]], floats);
    return [undefined, ...again.map((x) => grads[floats.indexOf(x)])];
  },
});

/** Where the inner gradient ends, so that a captured value made of another is not counted twice. */
const edgeRow = markRow({ name: "edge", doc: "The same values.", gradient: ({ g }) => [g] });

/**
 * `fn` as it is, but the values inside it are not kept for its gradient: they are computed again, from its arguments, when the
 * gradient arrives. Less memory for more time. What `fn` uses besides its arguments (weights) gets its gradient too.
 */
export function checkpoint<A extends readonly Expression[]>(
  fn: (...args: A) => Expression,
): (...args: A) => Expression {
  return (...args) => {
    const y = fn(...args);
    return apply(checkpointRow, [y, ...args, ...captured(y, args)], { args: args.length });
  };
}

/** What `y` is made from besides `args`: floats that do not depend on them. */
function captured(y: Expression, args: readonly Expression[]): Expression[] {
  const inside = between(y, args);
  const found: Expression[] = [];
  for (const x of inside.size === 0 ? [y] : [...inside].flatMap((node) => node.inputs))
    if (isFloat(x.dtype) && !inside.has(x.node) && find(args, x) < 0 && find(found, x) < 0) found.push(x);
  return found;
}

/** The nodes of `y` that depend on `args`, each after its inputs. */
function between(y: Expression, args: readonly Expression[]): Set<Node> {
  const inside = new Set<Node>();
  for (const node of topological([y]))
    if (node.inputs.some((x) => inside.has(x.node) || find(args, x) >= 0)) inside.add(node);
  return inside;
}

/** `y` with `to` in the places of `from`. */
function rebuild(y: Expression, from: readonly Expression[], to: readonly Expression[]): Expression {
  const copies = new Map<Node, Node>();
  const copy = (x: Expression): Expression => {
    const at = find(from, x);
    if (at >= 0) return to[at]!;
    const node = copies.get(x.node);
    return node ? new Expression(node, x.index) : x;
  };
  for (const node of between(y, from))
    copies.set(node, new Node(node.row, node.inputs.map(copy), node.attrs, node.types, node.source, node));
  return copy(y);
}

function find(list: readonly Expression[], x: Expression): number {
  return list.findIndex((other) => other.node === x.node && other.index === x.index);
}
