// A value of a model being read: an expression, and what is known of its elements where they are dimensions (the arithmetic of shapes).
import { Tensor, toNumbers } from "../../../tensor/index.js";
import { concat } from "../../catalogue/shaping.js";
import { dimension } from "../../creation.js";
import type { Dim, Shape } from "../../dim.js";
import { GraphError } from "../../error.js";
import type { Expression } from "../../expression.js";
import { evaluate } from "../../interpreter.js";
import { castTo, constant } from "../../operand.js";
import type { Type } from "../../shape.js";
import { inputRow } from "../../source.js";
import { topological } from "../../walk.js";

/** Elements beyond which a value is not followed as dimensions. */
const FOLLOWED = 64;
/** Operators and elements up to which constants are computed while a model is read. */
const FOLDED = { nodes: 16, elements: 512 } as const;

/** Whole numbers and symbols, as a scalar or a vector of int64. */
export interface Dims {
  readonly shape: readonly number[];
  readonly values: readonly Dim[];
  /** What the elements are when they are read as an expression; int64 unless told. */
  readonly dtype?: "bool" | undefined;
  /** Made from a tensor's shape, so that arithmetic on it is the arithmetic of shapes. */
  readonly derived: boolean;
}

export class Value {
  private made: Expression | undefined;
  private followed: Dims | undefined;
  private folded: { readonly tensor: Tensor | undefined } | undefined;

  private constructor(expression: Expression | undefined, dims: Dims | undefined) {
    this.made = expression;
    this.followed = dims;
  }

  static of(expression: Expression): Value {
    return new Value(expression, undefined);
  }

  static ofDims({ values, shape, dtype }: Omit<Dims, "derived">): Value {
    if (values.length > FOLLOWED)
      throw new GraphError(
        `a shape of ${values.length} dimensions is computed; at most ${FOLLOWED} are followed`,
        "limit",
      );
    return new Value(undefined, { values, shape, dtype, derived: true });
  }

  /** Whether it is arithmetic of shapes so far, and no tensor that anybody asked for. */
  get isShape(): boolean {
    return this.made === undefined;
  }

  get expression(): Expression {
    return (this.made ??= castTo(express(this.followed!), this.followed!.dtype ?? "int64"));
  }

  get type(): Type {
    const { followed } = this;
    return this.made?.type ?? { dtype: followed!.dtype ?? "int64", shape: followed!.shape };
  }

  /** The elements as dimensions, where they are known: of shapes, and of constants of whole numbers. */
  get dims(): Dims | undefined {
    if (this.followed) return this.followed;
    const { dtype, shape } = this.made!;
    if (dtype !== "int64" && dtype !== "int32") return undefined;
    if (shape.length > 1 || typeof (shape[0] ?? 1) !== "number" || ((shape[0] ?? 1) as number) > FOLLOWED)
      return undefined;
    const known = this.constant;
    if (!known) return undefined;
    this.followed = { values: Array.from(toNumbers(known), finite), shape: known.shape, derived: false };
    return this.followed;
  }

  /** The elements of a constant. */
  get constant(): Tensor | undefined {
    this.folded ??= { tensor: constantOf(this.expression) };
    return this.folded.tensor;
  }
}

function express({ values, shape }: Dims): Expression {
  if (values.every((dim) => typeof dim === "number"))
    return constant(
      new Tensor(
        "int64",
        shape,
        BigInt64Array.from(values, (n) => BigInt(n)),
      ),
    );
  if (shape.length === 0) return dimension(values[0]!);
  return concat(values.map((dim) => dimension(dim).reshape([1])));
}

/** The value of an expression that no input has a part in, if it is small. */
function constantOf(x: Expression): Tensor | undefined {
  if (x.node.source?.value) return x.node.source.value;
  if (x.node.inputs.length === 0) return undefined;
  const small = (shape: Shape): boolean => {
    const size = shape.reduce<number>((a, b) => a * (typeof b === "number" ? b : NaN), 1);
    return size <= FOLDED.elements;
  };
  const order = topologicalUpTo(x, FOLDED.nodes);
  if (
    !order?.every(
      (node) =>
        node.row !== inputRow && node.row.kind !== "host" && node.types.every(({ shape }) => small(shape)),
    )
  )
    return undefined;
  if (order.some((node) => node.row.kind === "source" && !node.source?.value)) return undefined;
  return evaluate([x])[0]!.toTensor();
}

function topologicalUpTo(x: Expression, limit: number): ReturnType<typeof topological> | undefined {
  const seen = new Set([x.node]);
  for (const node of seen) {
    for (const input of node.inputs) seen.add(input.node);
    if (seen.size > limit) return undefined;
  }
  return topological([x]);
}

function finite(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}
