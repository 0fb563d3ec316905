// The graph behind the values that somebody reads, cut where values are known already: those become inputs.
import { GraphError } from "../../graph/error.js";
import { Expression, Node } from "../../graph/expression.js";
import type { Shape } from "../../graph/dim.js";
import { INLINE_BYTES } from "../../graph/simplify.js";
import { constantRow, inputRow } from "../../graph/source.js";
import type { Tensor } from "../../tensor/index.js";
import type { Ref } from "./record.js";

/** Where an input of the program comes from: a task's output, or a tensor of the client's. */
export type Origin = Ref | Tensor;

export interface CutGraph {
  readonly outputs: readonly Expression[];
  /** The program's inputs by name, and what each is. */
  readonly inputs: Readonly<Record<string, Expression>>;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** More inputs than this one task does not take; small constants then travel inside the program. */
const MANY_INPUTS = 4000;

/** `known`: the output that holds the value of an expression. Throws a GraphError where an input has no value. */
export function cutGraph(
  outputs: readonly Expression[],
  known: (x: Expression) => Ref | undefined,
  isOwn: (node: Node) => boolean,
): CutGraph {
  const origins = new Map<string, Origin>();
  const inputs: Record<string, Expression> = {};
  const stands = new Map<Node, Map<number, Expression>>();
  const leaves: Node[] = [];

  const declare = (x: Expression, origin: Origin): void => {
    const name = `v${origins.size}`;
    origins.set(name, origin);
    inputs[name] = x;
  };
  /** The input that stands for a value that is known. */
  const standFor = (x: Expression): Expression | undefined => {
    const made = stands.get(x.node)?.get(x.index);
    if (made !== undefined) return made;
    const ref = isStatic(x.shape) ? known(x) : undefined;
    if (ref === undefined) return undefined;
    const stand = new Expression(new Node(inputRow, [], {}, [x.type], { name: `v${origins.size}` }), 0);
    declare(stand, ref);
    const own = stands.get(x.node) ?? new Map<number, Expression>();
    stands.set(x.node, own.set(x.index, stand));
    return stand;
  };

  const twins = new Map<Node, Node>();
  const twin = (x: Expression): Expression => {
    const stand = standFor(x);
    if (stand !== undefined) return stand;
    const node = twins.get(x.node)!;
    return node === x.node ? x : new Expression(node, x.index);
  };
  for (const output of outputs) {
    const stack: { readonly node: Node; next: number }[] = [];
    const visit = (x: Expression): void => {
      if (twins.has(x.node) || standFor(x) !== undefined) return;
      twins.set(x.node, x.node);
      stack.push({ node: x.node, next: 0 });
    };
    visit(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const x = top.node.inputs[top.next++];
      if (x !== undefined) {
        visit(x);
        continue;
      }
      stack.pop();
      const { node } = top;
      if (node.row === inputRow)
        throw new GraphError(
          `${node.source!.name!} is an input of a program and has no value here: give it as graph.tensor(), or run the program with flock.run()`,
        );
      if (node.row === constantRow) leaves.push(node);
      else if (node.inputs.length > 0) {
        const operands = node.inputs.map(twin);
        if (operands.some((y, i) => y !== node.inputs[i]))
          twins.set(node, new Node(node.row, operands, node.attrs, node.types, undefined, node));
      }
    }
  }
  const many = leaves.length + origins.size > MANY_INPUTS;
  for (const node of leaves) {
    const value = node.source!.value!;
    if (value.bytes > INLINE_BYTES || (isOwn(node) && !many)) declare(new Expression(node, 0), value);
  }
  return { outputs: outputs.map(twin), inputs, origins };
}

function isStatic(shape: Shape): boolean {
  return shape.every((dim) => typeof dim === "number");
}
