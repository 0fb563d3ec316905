// How a graph begins: inputs, given at each run, and tensors, known now.
import { DTYPES, toTensor, type DType, type TensorLike } from "../tensor/index.js";
import { install } from "./catalogue/index.js";
import { checkShape, type Shape } from "./dim.js";
import { GraphError } from "./error.js";
import { Expression, Node } from "./expression.js";
import { constant } from "./operand.js";
import { inputRow } from "./source.js";

install();

/** A value given at each run. Dimensions may be symbols: `input("x", "float32", ["batch", 784])`. */
export function input(name: string, dtype: DType, shape: Shape): Expression {
  if (name === "")
    throw new GraphError("input: the name is empty; it is how the value is given when the graph runs");
  if (!(dtype in DTYPES))
    throw new GraphError(
      `input ${name}: there is no dtype "${dtype}"; it is one of ${Object.keys(DTYPES).join(", ")}`,
    );
  checkShape(`input ${name}`, shape);
  return new Expression(new Node(inputRow, [], {}, [{ dtype, shape }], { name }), 0);
}

/** A value known now: numbers and lists are float32, typed arrays keep their dtype, unless `dtype` says otherwise. */
export function tensor(
  value: TensorLike,
  options: { readonly dtype?: DType; readonly shape?: readonly number[]; readonly name?: string } = {},
): Expression {
  try {
    return constant(toTensor(value, options), options.name);
  } catch (cause) {
    throw new GraphError(cause instanceof Error ? cause.message : String(cause), "bad_argument", { cause });
  }
}
