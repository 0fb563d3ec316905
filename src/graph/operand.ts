// What may stand where an expression is expected: expressions, tensors, typed arrays, lists and plain numbers.
import { toTensor, type DType, type Nested, type Tensor, type TensorLike } from "../tensor/index.js";
import { GraphError } from "./error.js";
import { Expression, Node, apply } from "./expression.js";
import { isFloat, printType, promote } from "./shape.js";
import { castRow, constantRow } from "./source.js";

/** A plain number takes the dtype of the expression beside it, or float32. */
export type Operand = Expression | TensorLike;

/** A constant of the graph. */
export function constant(value: Tensor, name?: string): Expression {
  return new Expression(
    new Node(constantRow, [], {}, [{ dtype: value.dtype, shape: value.shape }], {
      value,
      ...(name !== undefined && { name }),
    }),
    0,
  );
}

export function toExpression(who: string, operand: Operand, dtype?: DType): Expression {
  if (operand instanceof Expression) return operand;
  try {
    return constant(toTensor(operand, dtype ? { dtype } : {}));
  } catch (cause) {
    throw new GraphError(
      `${who}: ${cause instanceof Error ? cause.message : String(cause)}`,
      "bad_argument",
      { cause },
    );
  }
}

/** `x` as `dtype`; nothing is added where it is that already. */
export function castTo(x: Expression, dtype: DType): Expression {
  return x.dtype === dtype ? x : apply(castRow, [x], { to: dtype });
}

/** Operands as expressions of one dtype. Plain numbers and lists adapt to the expressions beside them; those meet at the wider dtype. */
export function meet(who: string, ...operands: readonly Operand[]): Expression[] {
  const strong = operands.filter((x) => !isWeak(x)).map((x) => toExpression(who, x));
  const weak = operands.filter(isWeak);
  let dtype: DType =
    strong.length > 0
      ? promote(...strong.map((x) => x.dtype))
      : weak.every((x) => holds(x, isBoolean))
        ? "bool"
        : "float32";
  if (strong.length > 0 && !isFloat(dtype)) {
    if (dtype === "bool" && weak.some((x) => !holds(x, isBoolean))) dtype = "float32";
    else if (weak.some((x) => !holds(x, (v) => typeof v !== "number" || Number.isInteger(v))))
      dtype = "float32";
  }
  let next = 0;
  return operands.map((x) => (isWeak(x) ? toExpression(who, x, dtype) : castTo(strong[next++]!, dtype)));
}

/** An operand as a float: integers become float32. */
export function toFloat(who: string, operand: Operand): Expression {
  const x = toExpression(who, operand);
  return isFloat(x.dtype) ? x : castTo(x, "float32");
}

/** Throws unless the dtype of `x` is one of `dtypes`. */
export function expectDtype(who: string, what: string, x: Expression, dtypes: readonly DType[]): void {
  if (!dtypes.includes(x.dtype))
    throw new GraphError(`${who}: ${what} is ${printType(x.type)}; it must be ${dtypes.join(" or ")}`);
}

function isWeak(x: Operand): x is Nested {
  return typeof x === "number" || typeof x === "boolean" || typeof x === "bigint" || Array.isArray(x);
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

function holds(value: Nested, test: (leaf: unknown) => boolean): boolean {
  return Array.isArray(value) ? value.every((item: Nested) => holds(item, test)) : test(value);
}
