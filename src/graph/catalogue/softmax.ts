// Normalised exponentials along an axis.
import { apply, type Expression } from "../expression.js";
import { FLOATS } from "../kernels.js";
import { count, Nd } from "../nd.js";
import { toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Backward, type Operator } from "../row.js";
import { axisOf } from "../shape.js";
import { elements } from "./pattern.js";

const family = "nn" as const;

type Softmax = Operator<(x: Operand, axis?: number) => Expression>;
interface AxisAttrs {
  readonly axis: number;
}

function normaliser(
  name: string,
  onnx: string,
  doc: string,
  end: (shifted: number, logTotal: number) => number,
  gradient: (backward: Backward<AxisAttrs>) => Expression,
): Softmax {
  const row = tensorRow<AxisAttrs>({
    name,
    family,
    doc,
    onnx,
    attributes: { axis: "int" },
    kernels: FLOATS,
    infer: ([x]) => [x!],
    flops: (io) => 12 * elements(io),
    gradient: (backward) => [gradient(backward)],
    evaluate: ([x], { axis }) => [alongAxis(x!, axis, end)],
    cuts: ({ inputs: [x], attrs }) =>
      x!.shape.flatMap((_, axis) => (axis === attrs.axis ? [] : { inputs: [axis], join: { concat: axis } })),
  });
  return operator(row, (operand: Operand, axis = -1) => {
    const x = toFloat(name, operand);
    return apply(row, [x], { axis: axisOf(name, axis, x.rank) });
  });
}

export const softmax: Softmax = normaliser(
  "softmax",
  "Softmax",
  "exp(x) over its sum along an axis.",
  (x, log) => Math.exp(x - log),
  ({ y, g, attrs: { axis } }) => {
    const gy = g.mul(y);
    return gy.sub(y.mul(gy.sum(axis, { keepdims: true })));
  },
);
export const logSoftmax: Softmax = normaliser(
  "logSoftmax",
  "LogSoftmax",
  "The logarithm of softmax, computed without overflow.",
  (x, log) => x - log,
  ({ y, g, attrs: { axis } }) => g.sub(y.exp().mul(g.sum(axis, { keepdims: true }))),
);

export const softmin: Softmax = operator(
  compositionRow("softmin", family, "softmax(-x) along an axis."),
  (x: Operand, axis = -1) => toFloat("softmin", x).neg().softmax(axis),
);

function alongAxis(x: Nd, axis: number, end: (shifted: number, logTotal: number) => number): Nd {
  const out = Nd.zeros(x.dtype, x.shape);
  const length = x.shape[axis]!;
  const inner = count(x.shape.slice(axis + 1));
  for (let start = 0; start < x.data.length; start += length * inner)
    for (let i = start; i < start + inner; i++) {
      let top = -Infinity;
      for (let j = 0; j < length; j++) top = Math.max(top, x.data[i + j * inner]!);
      let total = 0;
      for (let j = 0; j < length; j++) total += Math.exp(x.data[i + j * inner]! - top);
      for (let j = 0; j < length; j++)
        out.data[i + j * inner] = end(x.data[i + j * inner]! - top, Math.log(total));
    }
  return out;
}
