// Reverse-mode differentiation: expressions in, expressions out, by the gradient column of the catalogue.
import { GraphError } from "./error.js";
import { Expression, type Node } from "./expression.js";
import { full } from "./creation.js";
import { isFloat, printType, sameShape } from "./shape.js";
import type { Shape } from "./dim.js";
import { topological } from "./walk.js";

/**
 * The gradients of `loss`, which has one element, by each of `by`; expressions again, so they can be differentiated again.
 * What `loss` does not depend on has a gradient of zeros. Throws where a gradient must pass an operator that has none.
 */
export function gradients(loss: Expression, by: readonly Expression[]): Expression[] {
  if (loss.shape.some((dim) => dim !== 1))
    throw new GraphError(
      `gradients: the loss is ${printType(loss.type)}; it must have one element: take its mean() or sum() first`,
    );
  if (!isFloat(loss.dtype))
    throw new GraphError(`gradients: the loss is ${printType(loss.type)}; only floats have gradients`);
  for (const x of by)
    if (!isFloat(x.dtype))
      throw new GraphError(`gradients: ${String(x)} is no float; only floats have gradients`);
  return pullBack([[loss, full(loss.shape as readonly number[], 1, { dtype: loss.dtype })]], by);
}

/** The loss beside its gradients. */
export function valueAndGradients(
  loss: Expression,
  by: readonly Expression[],
): { value: Expression; gradients: Expression[] } {
  return { value: loss, gradients: gradients(loss, by) };
}

/** The products of `seeds` with the Jacobian: for each pair (output, its gradient), what reaches each of `by`. */
export function pullBack(
  seeds: readonly (readonly [Expression, Expression])[],
  by: readonly Expression[],
): Expression[] {
  const order = topological(seeds.map(([output]) => output));
  const targets = new Set(by.map((x) => x.node));
  const leads = new Set<Node>();
  for (const node of order)
    if (targets.has(node) || node.inputs.some((x) => leads.has(x.node))) leads.add(node);

  const flowing = new Map<Node, (Expression | undefined)[]>();
  const flow = (to: Expression, g: Expression): void => {
    const slots = flowing.get(to.node) ?? to.node.types.map(() => undefined);
    const before = slots[to.index];
    slots[to.index] = before ? before.add(g) : g;
    flowing.set(to.node, slots);
  };
  for (const [output, g] of seeds) flow(output, g);

  for (const node of order.toReversed()) {
    const grads = flowing.get(node);
    if (!grads || !leads.has(node) || node.inputs.length === 0 || node.row.gradient === "zero") continue;
    if (!node.inputs.some((x) => leads.has(x.node) && isFloat(x.dtype))) continue;
    backward(node, grads).forEach((g, i) => {
      const x = node.inputs[i]!;
      if (g && leads.has(x.node)) flow(x, sumTo(g, x.shape));
    });
  }
  return by.map((x) => {
    const g = flowing.get(x.node)?.[x.index] ?? zerosLike(x);
    return new Expression(g.node, g.index, x.name);
  });
}

function backward(
  node: Node,
  grads: readonly (Expression | undefined)[],
): readonly (Expression | undefined)[] {
  const { row } = node;
  if (row.gradient === undefined || row.gradient === "zero")
    throw new GraphError(
      `gradients: ${row.name} of ${node.inputs.map((x) => printType(x.type)).join(", ")} has no gradient, and the loss depends on it; ` +
        `use stopGradient() on its result, or do not differentiate by what it is made of`,
    );
  const outputs = node.types.map((_, i) => new Expression(node, i));
  return row.gradient({
    inputs: node.inputs,
    outputs,
    y: outputs[0]!,
    g: grads[0] ?? zerosLike(outputs[0]!),
    grads,
    attrs: node.attrs,
  });
}

/** Sums `g` down to `shape`: the reverse of broadcasting. */
export function sumTo(g: Expression, shape: Shape): Expression {
  if (sameShape(g.shape, shape)) return g;
  const added = g.rank - shape.length;
  const axes = g.shape.flatMap((dim, i) => (i < added || (shape[i - added] === 1 && dim !== 1) ? i : []));
  return axes.length === added ? g.sum(axes) : g.sum(axes, { keepdims: true }).reshape(shape);
}

function zerosLike(x: Expression): Expression {
  return full([], 0, { dtype: x.dtype }).broadcastTo(x.shape);
}
