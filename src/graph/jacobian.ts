// Jacobians of small expressions: one pull-back for each element of the result.
import { isStatic } from "./dim.js";
import { concat } from "./catalogue/shaping.js";
import { GraphError } from "./error.js";
import type { Expression } from "./expression.js";
import { pullBack } from "./gradient.js";
import { tensor } from "./leaf.js";
import { count } from "./nd.js";
import { isFloat, printType } from "./shape.js";

/** Of more elements than this, a Jacobian is refused: the graph would hold a gradient for each. */
export const JACOBIAN_LIMIT = 1000;

/** The derivative of each element of `y` by each element of `x`: of shape [...y.shape, ...x.shape]. `y` has a known shape. */
export function jacobian(y: Expression, x: Expression): Expression {
  for (const each of [y, x])
    if (!isFloat(each.dtype))
      throw new GraphError(`jacobian: ${String(each)} is no float; only floats have gradients`);
  if (!isStatic(y.shape))
    throw new GraphError(
      `jacobian: the result is ${printType(y.type)}; all its dimensions must be known when the graph is built`,
    );
  const size = count(y.shape);
  if (size === 0 || size > JACOBIAN_LIMIT)
    throw new GraphError(
      `jacobian: the result is ${printType(y.type)}, ${size} elements; it takes 1 to ${JACOBIAN_LIMIT}. Reduce it first, or use pullBack()`,
      "limit",
    );
  const shape = y.shape;
  const rows = Array.from({ length: size }, (_, i) => {
    const seed = tensor(
      Float64Array.from({ length: size }, (_, j) => Number(i === j)),
      { dtype: y.dtype, shape },
    );
    return pullBack([[y, seed]], [x])[0]!.reshape([1, ...x.shape]);
  });
  return concat(rows, 0).reshape([...shape, ...x.shape]);
}
