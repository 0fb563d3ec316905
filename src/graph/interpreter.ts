// The reference interpreter: runs a graph in float64 by the evaluate column. Slow and plain; the judge of engines and gradients.
import type { Tensor } from "../tensor/index.js";
import { bindDim, bindShape, symbolsOf, type Binding, type Dim } from "./dim.js";
import { GraphError } from "./error.js";
import type { Expression, Node } from "./expression.js";
import { Nd } from "./nd.js";
import type { Attrs, NodeRow } from "./row.js";
import { printType, type Type } from "./shape.js";
import { inputRow } from "./source.js";
import { inRunOrder } from "./walk.js";

/** Values for inputs, by name. */
export type Feeds = Readonly<Record<string, Tensor | Nd>>;

/** The values of `outputs` in float64; `lengths` are of symbols that no input of theirs has. Throws a GraphError where an input is missing or does not fit. */
export function evaluate(outputs: readonly Expression[], feeds: Feeds = {}, lengths: Binding = {}): Nd[] {
  const order = inRunOrder(outputs);
  const binding: Record<string, number> = { ...lengths };
  const values = new Map<Node, readonly Nd[]>();
  for (const node of order) if (node.row === inputRow) values.set(node, [feed(node, feeds, binding)]);
  for (const node of order) {
    if (values.has(node)) continue;
    if (node.source?.value) values.set(node, [Nd.fromTensor(node.source.value)]);
    else
      values.set(
        node,
        run(
          node,
          node.inputs.map((x) => values.get(x.node)![x.index]!),
          binding,
        ),
      );
  }
  return outputs.map((x) => values.get(x.node)![x.index]!);
}

function run(node: Node, inputs: readonly Nd[], binding: Record<string, number>): readonly Nd[] {
  const attrs = bindAttrs(node.row, node.attrs, binding);
  const known = { inputs: inputs as readonly Type[], attrs };
  // A symbol that this very operator brings (a data-dependent length) is learned from its result.
  const outputs = node.types.map(({ dtype, shape }) => ({
    dtype,
    shape: shape.every((dim) => symbolsOf(dim).every((s) => s in binding))
      ? bindShape(shape, binding)
      : shape,
  }));
  const results = node.row.evaluate(inputs, attrs, { ...known, outputs });
  node.types.forEach(({ shape }, i) => {
    learn(shape, results[i]!.shape, binding);
  });
  return results;
}

function feed(node: Node, feeds: Feeds, binding: Record<string, number>): Nd {
  const name = node.source!.name!;
  const given = feeds[name];
  if (!given) throw new GraphError(`the input "${name}" has no value; it wants ${printType(node.types[0]!)}`);
  checkFeed(name, node.types[0]!, given, binding);
  return given instanceof Nd ? given : Nd.fromTensor(given);
}

/** Throws unless `given` fits `type`; symbols take the length they meet first. */
export function checkFeed(name: string, type: Type, given: Type, binding: Record<string, number>): void {
  const fits = given.dtype === type.dtype && given.shape.length === type.shape.length;
  if (fits) learn(type.shape, given.shape as readonly number[], binding);
  if (
    !fits ||
    type.shape.some(
      (dim, i) => symbolsOf(dim).every((s) => s in binding) && bindDim(dim, binding) !== given.shape[i],
    )
  )
    throw new GraphError(
      `the input "${name}" wants ${printType(type)}, got ${printType(given)}` +
        type.shape
          .flatMap((dim) =>
            typeof dim === "string" && dim in binding ? [`; ${dim} is ${binding[dim]} here`] : [],
          )
          .join(""),
    );
}

/** Symbols of `shape` that have no value yet take it from `actual`. */
function learn(shape: readonly Dim[], actual: readonly number[], binding: Record<string, number>): void {
  shape.forEach((dim, i) => {
    if (typeof dim === "string" && !(dim in binding) && symbolsOf(dim)[0] === dim) binding[dim] = actual[i]!;
  });
}

/** Arguments with their dimensions bound. */
export function bindAttrs(row: NodeRow, attrs: Attrs, binding: Binding): Attrs {
  const out: Record<string, Attrs[string]> = { ...attrs };
  for (const [key, kind] of Object.entries({ ...row.attributes, ...row.operands })) {
    const value = attrs[key];
    if (value === undefined) continue;
    if (kind === "dims") out[key] = bindShape(value as readonly Dim[], binding);
    else if (kind === "dim") out[key] = bindDim(value as Dim, binding);
  }
  return out;
}
