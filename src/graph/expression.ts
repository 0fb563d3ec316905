// Expressions: values that do not exist yet, with known dtype and shape. Building runs nothing; each node is immutable.
import type { DType, Tensor } from "../tensor/index.js";
import type { Shape } from "./dim.js";
import { castFor } from "./kernels.js";
import type { Methods } from "./methods.js";
import { commonOwner, ownerOf, type Owner } from "./owner.js";
import type { Attrs, NodeRow } from "./row.js";
import type { Type } from "./shape.js";

/** One application of an operator. `value` and `name` are for sources only. */
export class Node {
  /** Who computes it, where its leaves are of a graph of a flock. Copies have none. */
  owner: Owner | undefined = undefined;
  /** The node that a person built and that this one is a copy of, or stands for. */
  origin: Node | undefined;

  constructor(
    readonly row: NodeRow,
    readonly inputs: readonly Expression[],
    readonly attrs: Attrs,
    readonly types: readonly Type[],
    readonly source?: { readonly name?: string; readonly value?: Tensor },
    copyOf?: Node,
  ) {
    this.origin = copyOf?.origin ?? copyOf;
  }
}

/** One output of a node: what every expression has before the catalogue gives it methods. */
class ExpressionCore {
  constructor(
    readonly node: Node,
    readonly index: number,
    private readonly label?: string,
  ) {}

  get dtype(): DType {
    return this.node.types[this.index]!.dtype;
  }

  /** Whole numbers, and symbols where a dimension is known only when it runs. */
  get shape(): Shape {
    return this.node.types[this.index]!.shape;
  }

  get rank(): number {
    return this.shape.length;
  }

  get type(): Type {
    return this.node.types[this.index]!;
  }

  /** The name it was given by `input` or `tensor`; a gradient bears the name of what it belongs to. */
  get name(): string | undefined {
    return this.label ?? this.node.source?.name;
  }

  /**
   * Its value, computed by the flock that its graph belongs to. Throws a GraphError where it belongs to no graph; rejects
   * with one that says which operation failed, where it was built, and why.
   */
  value(): Promise<Tensor> {
    return ownerOf(this as unknown as Expression).read(this as unknown as Expression);
  }

  /** Has its value computed and kept under a name, until somebody deletes it. Rejects with `name_taken`. */
  persist(name: string): Promise<void> {
    return ownerOf(this as unknown as Expression).persist(this as unknown as Expression, name);
  }

  /** `matmul float32 [batch,10]` */
  toString(): string {
    return `${this.name ?? this.node.row.name} ${this.dtype} [${this.shape.join(",")}]`;
  }
}

/** One output of a node. Its methods come from the catalogue, a row each: install() there makes true what the types say. */
export interface Expression extends ExpressionCore, Methods {}
export const Expression = ExpressionCore as unknown as new (
  node: Node,
  index: number,
  label?: string,
) => Expression;

/** All outputs of `row` on `inputs`. Throws a GraphError where they do not fit, or where no engine could run it. */
export function applyAll(row: NodeRow, inputs: readonly Expression[], attrs: Attrs = {}): Expression[] {
  const types = row.infer(
    inputs.map((input) => input.type),
    attrs,
  );
  if (row.kind === "tensor") castFor(row, inputs);
  const node = new Node(row, inputs, attrs, types);
  const owner = commonOwner(row.name, inputs);
  if (owner !== undefined) {
    node.owner = owner;
    owner.built(node);
  }
  return types.map((_, i) => new Expression(node, i));
}

/** The first output of `row` on `inputs`. */
export function apply(row: NodeRow, inputs: readonly Expression[], attrs: Attrs = {}): Expression {
  return applyAll(row, inputs, attrs)[0]!;
}
