// Where the largest and smallest elements are.
import { apply, type Expression } from "../expression.js";
import { NUMBERS } from "../kernels.js";
import { count, Nd } from "../nd.js";
import { toExpression, type Operand } from "../operand.js";
import { operator, tensorRow, type Operator } from "../row.js";
import { axisOf } from "../shape.js";
import type { ReduceOptions } from "./reduction.js";
import { bound } from "./pattern.js";

export type ArgReduction = Operator<(x: Operand, axis?: number, options?: ReduceOptions) => Expression>;

interface ArgAttrs {
  readonly axis: number;
  readonly keepdims: number;
}

function argReduction(
  name: string,
  onnx: string,
  doc: string,
  better: (a: number, b: number) => boolean,
): ArgReduction {
  const row = tensorRow<ArgAttrs>({
    name,
    family: "reduce",
    doc,
    onnx,
    attributes: { axis: "int", keepdims: "int" },
    kernels: NUMBERS,
    infer: ([x], { axis, keepdims }) => [
      {
        dtype: "int64",
        shape: keepdims ? x!.shape.with(axis, 1) : x!.shape.toSpliced(axis, 1),
      },
    ],
    flops: ({ inputs: [x] }) => count(bound(x!)),
    gradient: "zero",
    evaluate: ([x], { axis }, { outputs: [out] }) => [search(x!, axis, bound(out!), better)],
    cuts: ({ inputs: [x], attrs }) =>
      x!.shape.flatMap((_, axis) =>
        axis === attrs.axis
          ? []
          : { inputs: [axis], join: { concat: axis - Number(!attrs.keepdims && axis > attrs.axis) } },
      ),
  });
  return operator(row, (operand: Operand, axis?: number, { keepdims = false }: ReduceOptions = {}) => {
    const x = toExpression(name, operand);
    if (axis !== undefined)
      return apply(row, [x], { axis: axisOf(name, axis, x.rank), keepdims: Number(keepdims) });
    const flat = apply(row, [x.flatten()], { axis: 0, keepdims: 0 });
    return keepdims ? flat.reshape(x.shape.map(() => 1)) : flat;
  });
}

function search(
  x: Nd,
  axis: number,
  shape: readonly number[],
  better: (a: number, b: number) => boolean,
): Nd {
  const out = Nd.zeros("int64", shape);
  const length = x.shape[axis]!;
  const inner = count(x.shape.slice(axis + 1));
  for (let i = 0; i < out.data.length; i++) {
    const start = Math.floor(i / inner) * length * inner + (i % inner);
    let best = 0;
    for (let j = 1; j < length; j++)
      if (better(x.data[start + j * inner]!, x.data[start + best * inner]!)) best = j;
    out.data[i] = best;
  }
  return out;
}

export const argmax: ArgReduction = argReduction(
  "argmax",
  "ArgMax",
  "The position of the largest element along an axis, the first of equals; without an axis, among all.",
  (a, b) => a > b,
);
export const argmin: ArgReduction = argReduction(
  "argmin",
  "ArgMin",
  "The position of the smallest element along an axis, the first of equals; without an axis, among all.",
  (a, b) => a < b,
);
