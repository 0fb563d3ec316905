// Running totals along an axis.
import { apply, type Expression } from "../expression.js";
import { SIGNED } from "../kernels.js";
import { count, Nd, wrapTo } from "../nd.js";
import { castTo, toExpression, type Operand } from "../operand.js";
import { operator, tensorRow, type Operator } from "../row.js";
import { axisOf } from "../shape.js";
import { elements } from "./pattern.js";

export interface ScanOptions {
  /** Each total without its own element. */
  readonly exclusive?: boolean;
  /** From the end. */
  readonly reverse?: boolean;
}
interface ScanAttrs {
  readonly axis: number;
  readonly exclusive: number;
  readonly reverse: number;
}

const cumsumRow = tensorRow<ScanAttrs>({
  name: "cumsum",
  family: "reduce",
  doc: "The sum of each element and those before it along an axis.",
  onnx: "CumSum",
  attributes: { exclusive: "int", reverse: "int" },
  operands: { axis: "int" },
  kernels: SIGNED,
  infer: ([x]) => [x!],
  flops: elements,
  gradient: ({ g, attrs: { axis, exclusive, reverse } }) => [
    g.cumsum(axis, { exclusive: exclusive === 1, reverse: reverse === 0 }),
  ],
  evaluate: ([x], attrs) => [cumulate(x!, attrs)],
  cuts: ({ inputs: [x], attrs }) =>
    x!.shape.flatMap((_, axis) => (axis === attrs.axis ? [] : { inputs: [axis], join: { concat: axis } })),
});
export const cumsum: Operator<(x: Operand, axis?: number, options?: ScanOptions) => Expression> = operator(
  cumsumRow,
  (operand: Operand, axis?: number, { exclusive = false, reverse = false }: ScanOptions = {}) => {
    const given = toExpression("cumsum", operand);
    const x = given.dtype === "bool" || given.dtype === "uint8" ? castTo(given, "int64") : given;
    const flat = axis === undefined ? x.flatten() : x;
    return apply(cumsumRow, [flat], {
      axis: axisOf("cumsum", axis ?? 0, flat.rank),
      exclusive: Number(exclusive),
      reverse: Number(reverse),
    });
  },
);

function cumulate(x: Nd, { axis, exclusive, reverse }: ScanAttrs): Nd {
  const out = Nd.zeros(x.dtype, x.shape);
  const wrap = wrapTo(x.dtype);
  const length = x.shape[axis]!;
  const inner = count(x.shape.slice(axis + 1));
  for (let start = 0; start < x.data.length; start += length * inner)
    for (let i = start; i < start + inner; i++) {
      let total = 0;
      for (let j = 0; j < length; j++) {
        const at = i + (reverse ? length - 1 - j : j) * inner;
        const next = wrap(total + x.data[at]!);
        out.data[at] = exclusive ? total : next;
        total = next;
      }
    }
  return out;
}
