// Repeating elements and whole tensors, and rolling them round.
import { addDims, mulDims, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, type Operator } from "../row.js";
import { axisOf, printType } from "../shape.js";
import { concat } from "./join.js";

const family = "shape" as const;

export const tile: Operator<(x: Operand, times: number | readonly number[]) => Expression> = operator(
  compositionRow("tile", family, "The whole tensor side by side, so many times along each axis."),
  (operand: Operand, times: number | readonly number[]) => {
    const x = toExpression("tile", operand);
    const given = typeof times === "number" ? [times] : times;
    const rank = Math.max(x.rank, given.length);
    const own: Dim[] = [...new Array<Dim>(rank - x.rank).fill(1), ...x.shape];
    const each = [...new Array<number>(rank - given.length).fill(1), ...given];
    for (const n of each) expectTimes("tile", n);
    return x
      .reshape(own.flatMap((dim) => [1, dim]))
      .broadcastTo(own.flatMap((dim, i) => [each[i]!, dim]))
      .reshape(own.map((dim, i) => mulDims(dim, each[i]!)));
  },
);

export const repeat: Operator<(x: Operand, times: number | readonly number[], axis?: number) => Expression> =
  operator(
    compositionRow(
      "repeat",
      family,
      "Each element so many times in a row along an axis, or each as often as a list says; without an axis, of the flattened elements.",
    ),
    (operand: Operand, times: number | readonly number[], axis?: number) => {
      const given = toExpression("repeat", operand);
      const x = axis === undefined ? given.flatten() : given;
      const along = axisOf("repeat", axis ?? 0, x.rank);
      const length = x.shape[along]!;
      for (const n of typeof times === "number" ? [times] : times) expectTimes("repeat", n);
      if (typeof times !== "number") {
        if (times.length !== length)
          throw new GraphError(
            `repeat: ${times.length} counts for axis ${along} of ${printType(x.type)}, which has ${length}; give one for each, or one number`,
          );
        return x.take(
          times.flatMap((n, i) => new Array<number>(n).fill(i)),
          along,
        );
      }
      return x
        .expandDims(along + 1)
        .broadcastTo(x.shape.toSpliced(along + 1, 0, times))
        .reshape(x.shape.with(along, mulDims(length, times)));
    },
  );

function expectTimes(who: string, n: number): void {
  if (!Number.isInteger(n) || n < 0)
    throw new GraphError(`${who}: ${n} times; it must be a whole number from 0`);
}

export const roll: Operator<
  (x: Operand, shift: number | readonly number[], axis?: number | readonly number[]) => Expression
> = operator(
  compositionRow(
    "roll",
    family,
    "The elements moved along axes, those that leave coming in again at the other end; without an axis, of the flattened elements.",
  ),
  (operand: Operand, shift: number | readonly number[], axis?: number | readonly number[]) => {
    const x = toExpression("roll", operand);
    if (axis === undefined) {
      const total = [shift].flat().reduce((a, b) => a + b, 0);
      return rolled(x.flatten(), total, 0).reshape(x.shape);
    }
    const axes = [axis].flat();
    const shifts = typeof shift === "number" ? axes.map(() => shift) : shift;
    if (shifts.length !== axes.length)
      throw new GraphError(
        `roll: ${shifts.length} shifts for ${axes.length} axes; give one for each, or one number`,
      );
    return axes.reduce((y, each, i) => rolled(y, shifts[i]!, axisOf("roll", each, x.rank)), x);
  },
);

function rolled(x: Expression, shift: number, axis: number): Expression {
  const length = x.shape[axis]!;
  if (length === 0) return x;
  const by = typeof length === "number" ? ((shift % length) + length) % length : shift;
  if (by === 0) return x;
  const cut = addDims(by > 0 ? length : 0, -by);
  return concat([x.slice([cut], [null], [axis]), x.slice([0], [cut], [axis])], axis);
}
