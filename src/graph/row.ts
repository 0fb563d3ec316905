// What a row of the catalogue is. Everything else derives from rows: methods, types, export, import, costs, gradients, plans, docs, tests.
import type { DType } from "../tensor/index.js";
import type { Dim } from "./dim.js";
import type { Expression } from "./expression.js";
import type { Nd } from "./nd.js";
import type { Type } from "./shape.js";

export const FAMILIES = [
  "source",
  "elementwise",
  "compare",
  "reduce",
  "shape",
  "index",
  "linear",
  "conv",
  "nn",
  "loss",
  "stats",
  "random",
  "host",
  "flow",
] as const;
export type Family = (typeof FAMILIES)[number];

export type AttrValue = number | string | readonly Dim[] | undefined;
/** The static arguments of an operator. Only those of kind `dim` and `dims` may hold symbols. */
export type Attrs = Readonly<Record<string, AttrValue>>;
/**
 * How an argument travels in ONNX; `dtype` is a dtype's name that becomes its number, `value` a scalar of the first input's dtype,
 * `fresh` a symbol of freshSymbol() for a length of the result that only running tells: it does not travel.
 */
export type AttrKind =
  "int" | "ints" | "float" | "floats" | "string" | "dtype" | "dim" | "dims" | "value" | "fresh";

/** What a row's functions see once shapes are known. `B` is Type while symbols stand, and again when they are bound. */
export interface Io<A> {
  readonly inputs: readonly Type[];
  readonly outputs: readonly Type[];
  readonly attrs: A;
}

/** What a gradient rule sees: the node's inputs and outputs as expressions, and the gradients of its outputs. */
export interface Backward<A> {
  readonly inputs: readonly Expression[];
  readonly outputs: readonly Expression[];
  /** The first output, and its gradient. */
  readonly y: Expression;
  readonly g: Expression;
  /** The gradients of all outputs; undefined where nothing flows. */
  readonly grads: readonly (Expression | undefined)[];
  readonly attrs: A;
}

/** One way to cut an operator: which axis of each input is cut (null: every piece gets all of it), and how the pieces' results join. */
export interface Cut {
  readonly inputs: readonly (number | null)[];
  readonly join: { readonly concat: number } | "add" | "mul" | "max" | "min";
  /** The arguments of a piece of which the cut axis has this length, where they are not the whole's. */
  readonly attrs?: (length: number) => Attrs;
}

/** The part of a row that both tensor and host operators have. */
interface RowBase<A> {
  readonly name: string;
  readonly family: Family;
  /** One sentence for the docs. */
  readonly doc: string;
  /** The static arguments that are ONNX attributes, and their kinds; in ONNX they bear the same name. */
  readonly attributes?: Readonly<Record<string, AttrKind>>;
  /** The static arguments that ONNX takes as trailing input tensors, in its order (an undefined one is left empty). */
  readonly operands?: Readonly<Record<string, AttrKind>>;
  /** Shape and dtype rule; throws a GraphError that says what would fit. */
  infer(inputs: readonly Type[], attrs: A): readonly Type[];
  /** The most that each `fresh` symbol can be. A row that has it depends on data for its shape: it runs whole. */
  bounds?(inputs: readonly Type[], attrs: A): Readonly<Record<string, Dim>>;
  /** Floating-point operations, shapes being bound. Bytes derive from the types. */
  flops(io: Io<A>): number;
  /**
   * Gradients of the inputs (undefined: none). A result that is larger than its input by broadcasting is summed down for the rule.
   * "zero": piecewise constant. Absent: not differentiable, an error if a gradient must pass.
   */
  readonly gradient?: ((backward: Backward<A>) => readonly (Expression | undefined)[]) | "zero";
  /** The result in float64. `io` holds bound shapes. */
  evaluate(inputs: readonly Nd[], attrs: A, io: Io<A>): readonly Nd[];
  /** Arguments as they are exported, where ONNX wants others than the shape rule. */
  exported?(attrs: A): A;
  /** The ways to cut it; absent: it runs whole. */
  cuts?(io: Io<A>): readonly Cut[];
}

/** An operator that is one ONNX operator. */
export interface TensorRow<A = Attrs> extends RowBase<A> {
  readonly kind: "tensor";
  /** The ONNX operator of the default domain. */
  readonly onnx: string;
  /** The dtypes that every engine has a kernel for. Others are cast to a wider one of these at export, or refused where built. */
  readonly kernels: readonly DType[];
  /** The inputs whose one dtype `kernels` speaks of, and which are cast together; all of them unless told. */
  readonly kernelInputs?: readonly number[];
  /** Its inputs may change places without changing a bit of the result. */
  readonly commutative?: boolean;
  /** Each element of the result is made of one element of each input, broadcast as in NumPy. */
  readonly elementwise?: boolean;
}

/** An operator that ONNX has not: nodes run `evaluate` itself, by its name and version. */
export interface HostRow<A = Attrs> extends RowBase<A> {
  readonly kind: "host";
  readonly version: number;
}

/** Where values come from: graph inputs, constants, and numbers made of dimensions. */
export interface SourceRow<A = Attrs> extends RowBase<A> {
  readonly kind: "source";
}

/** What only gradients see: the value is the first input's, and programs are made without it. */
export interface MarkRow<A = Attrs> extends RowBase<A> {
  readonly kind: "mark";
}

/** An operator written with others; its cost, gradient, cuts and ONNX are theirs. */
export interface CompositionRow {
  readonly kind: "composition";
  readonly name: string;
  readonly family: Family;
  readonly doc: string;
  /** Also what the gradient is defined by: false where some part of it stops gradients for good. */
  readonly differentiable: boolean;
}

/** What a node of a graph can be. */
export type NodeRow = TensorRow | HostRow | SourceRow | MarkRow;
export type Row = NodeRow | CompositionRow;

/** A function of the catalogue with its row. `method: true`: also a method of its first operand. */
export type Operator<F> = F & { readonly row: Row; readonly method: true };
/** A function of the catalogue that is no method: its first argument is no single expression. */
export type Maker<F> = F & { readonly row: Row; readonly method: false };

export function operator<F extends object>(row: Row, call: F): Operator<F> {
  return Object.assign(call, { row, method: true as const });
}

export function maker<F extends object>(row: Row, call: F): Maker<F> {
  return Object.assign(call, { row, method: false as const });
}

/** A row of one ONNX operator, its arguments typed while it is written and erased after. */
export function tensorRow<A extends object = Attrs>(row: Omit<TensorRow<A>, "kind">): TensorRow {
  return { kind: "tensor", ...row } as TensorRow<A> as unknown as TensorRow;
}

export function hostRow<A extends object = Attrs>(row: Omit<HostRow<A>, "kind">): HostRow {
  return { kind: "host", ...row } as HostRow<A> as unknown as HostRow;
}

/** A row that only gradients see. */
export function markRow(row: Pick<MarkRow, "name" | "doc"> & Required<Pick<MarkRow, "gradient">>): MarkRow {
  return {
    kind: "mark",
    family: "flow",
    infer: ([x]) => [x!],
    flops: () => 0,
    evaluate: ([x]) => [x!],
    ...row,
  };
}

export function compositionRow(
  name: string,
  family: Family,
  doc: string,
  differentiable = true,
): CompositionRow {
  return { kind: "composition", name, family, doc, differentiable };
}
