// Who computes an expression when its value is asked for. This floor knows no more of it: a graph of a client is one.
import type { Tensor } from "../tensor/index.js";
import { GraphError } from "./error.js";
import type { Expression, Node } from "./expression.js";

/** Leaves carry their owner; what is built on them belongs to it too. */
export interface Owner {
  readonly name: string;
  /** An operation was built on what this owner's leaves have become. */
  built(node: Node): void;
  read(x: Expression): Promise<Tensor>;
  persist(x: Expression, name: string): Promise<void>;
}

/** The owner of the expressions; undefined where none has one. Throws a GraphError where they have several. */
export function commonOwner(who: string, expressions: readonly Expression[]): Owner | undefined {
  let owner: Owner | undefined;
  for (const { node } of expressions) {
    if (node.owner === undefined || node.owner === owner) continue;
    if (owner !== undefined)
      throw new GraphError(
        `${who}: its operands belong to two graphs, "${owner.name}" and "${node.owner.name}"; read the value of one and give it to the other as a tensor`,
      );
    owner = node.owner;
  }
  return owner;
}

/** The owner of one expression. Throws a GraphError where there is none. */
export function ownerOf(x: Expression): Owner {
  if (x.node.owner === undefined)
    throw new GraphError(
      `${String(x)} belongs to no graph, so nobody computes it: begin with graph.tensor() of a flock's graph, or compute it here with evaluate([x])`,
    );
  return x.node.owner;
}
