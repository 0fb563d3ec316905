// Joining tensors along an axis, and splitting them again.
import { addDims, divideDims, mulDims, type Dim } from "../dim.js";
import { full } from "../creation.js";
import { GraphError } from "../error.js";
import { apply, applyAll, type Expression } from "../expression.js";
import { ALL } from "../kernels.js";
import { count, Nd } from "../nd.js";
import { meet, toExpression, type Operand } from "../operand.js";
import { compositionRow, maker, operator, tensorRow, type Maker, type Operator } from "../row.js";
import { axisOf, printType } from "../shape.js";
import { bound } from "./pattern.js";

const family = "shape" as const;
const noFlops = (): number => 0;

const concatRow = tensorRow<{ axis: number }>({
  name: "concat",
  family,
  doc: "Joins along an axis; all other dimensions are equal.",
  onnx: "Concat",
  attributes: { axis: "int" },
  kernels: ALL,
  infer: (inputs, { axis }) => {
    const first = inputs[0]!;
    for (const other of inputs)
      if (
        other.shape.length !== first.shape.length ||
        other.shape.some((dim, i) => i !== axis && dim !== first.shape[i])
      )
        throw new GraphError(
          `concat: ${printType(first)} and ${printType(other)} differ outside axis ${axis}`,
        );
    return [
      {
        dtype: first.dtype,
        shape: first.shape.map((dim, i) =>
          i === axis ? inputs.map((x) => x.shape[i]!).reduce(addDims) : dim,
        ),
      },
    ];
  },
  flops: noFlops,
  gradient: ({ inputs, g, attrs: { axis } }) => {
    let at: Dim = 0;
    return inputs.map((x) => {
      const start = at;
      at = addDims(at, x.shape[axis]!);
      return g.slice([start], [at], [axis]);
    });
  },
  evaluate: (inputs, { axis }, { outputs: [out] }) => {
    const shape = bound(out!);
    const inner = count(shape.slice(axis + 1));
    const outer = count(shape.slice(0, axis));
    const result = Nd.zeros(out!.dtype, shape);
    let at = 0;
    for (let o = 0; o < outer; o++)
      for (const x of inputs) {
        const run = x.shape[axis]! * inner;
        result.data.set(x.data.subarray(o * run, (o + 1) * run), at);
        at += run;
      }
    return [result];
  },
});
export const concat: Maker<(xs: readonly Operand[], axis?: number) => Expression> = maker(
  concatRow,
  (xs: readonly Operand[], axis = 0) => {
    if (xs.length === 0) throw new GraphError("concat: nothing to join; give at least one expression");
    const inputs = meet("concat", ...xs);
    return apply(concatRow, inputs, { axis: axisOf("concat", axis, inputs[0]!.rank) });
  },
);

type Join = Maker<(xs: readonly Operand[], axis?: number) => Expression>;

export const stack: Join = maker(
  compositionRow("stack", family, "Joins tensors of one shape along a new axis."),
  (xs: readonly Operand[], axis = 0) => {
    const inputs = several("stack", xs);
    const at = axisOf("stack", axis, inputs[0]!.rank + 1);
    return concat(
      inputs.map((x) => x.expandDims(at)),
      at,
    );
  },
);

type JoinAll = Maker<(xs: readonly Operand[]) => Expression>;
export const vstack: JoinAll = maker(
  compositionRow("vstack", family, "Joins along the first axis; vectors become rows."),
  (xs: readonly Operand[]) => concat(several("vstack", xs).map((x) => (x.rank < 2 ? x.reshape([1, -1]) : x))),
);
export const hstack: JoinAll = maker(
  compositionRow("hstack", family, "Joins along the second axis; vectors along their only one."),
  (xs: readonly Operand[]) => {
    const inputs = several("hstack", xs).map((x) => (x.rank === 0 ? x.reshape([1]) : x));
    return concat(inputs, inputs[0]!.rank === 1 ? 0 : 1);
  },
);

function several(who: string, xs: readonly Operand[]): Expression[] {
  if (xs.length === 0) throw new GraphError(`${who}: nothing to join; give at least one expression`);
  return meet(who, ...xs);
}

interface SplitAttrs {
  readonly axis: number;
  readonly split: readonly Dim[];
}

const splitRow = tensorRow<SplitAttrs>({
  name: "split",
  family,
  doc: "The parts along an axis: so many equal ones, or of the lengths given.",
  onnx: "Split",
  attributes: { axis: "int" },
  operands: { split: "dims" },
  kernels: ALL,
  infer: ([x], { axis, split }) => {
    if (split.reduce(addDims, 0) !== x!.shape[axis])
      throw new GraphError(
        `split: lengths [${split.join()}] do not add up to ${x!.shape[axis]}, which axis ${axis} of ${printType(x!)} has`,
      );
    return split.map((length) => ({ dtype: x!.dtype, shape: x!.shape.with(axis, length) }));
  },
  flops: noFlops,
  gradient: ({ outputs, grads, attrs: { axis } }) => [
    concat(
      outputs.map((y, i) => grads[i] ?? full([], 0, { dtype: y.dtype }).broadcastTo(y.shape)),
      axis,
    ),
  ],
  evaluate: ([x], { axis }, { outputs }) => {
    const outer = count(x!.shape.slice(0, axis));
    const inner = count(x!.shape.slice(axis + 1));
    let at = 0;
    const starts = outputs.map((y) => {
      const start = at;
      at += bound(y)[axis]! * inner;
      return start;
    });
    return outputs.map((y, i) => {
      const part = Nd.zeros(x!.dtype, bound(y));
      const run = bound(y)[axis]! * inner;
      for (let o = 0; o < outer; o++)
        part.data.set(x!.data.subarray(o * at + starts[i]!, o * at + starts[i]! + run), o * run);
      return part;
    });
  },
});
export const split: Operator<(x: Operand, parts: number | readonly Dim[], axis?: number) => Expression[]> =
  operator(splitRow, (operand: Operand, parts: number | readonly Dim[], axis = 0) => {
    const x = toExpression("split", operand);
    const along = axisOf("split", axis, x.rank);
    const lengths = typeof parts === "number" ? equalParts(x, parts, along) : parts;
    if (lengths.length === 0) throw new GraphError("split: into no parts; give at least one length");
    return lengths.length === 1 && lengths[0] === x.shape[along]
      ? [x]
      : applyAll(splitRow, [x], { axis: along, split: lengths });
  });

function equalParts(x: Expression, parts: number, axis: number): Dim[] {
  const length = x.shape[axis]!;
  const each = Number.isInteger(parts) && parts > 0 ? divideDims(length, parts) : undefined;
  if (each === undefined || mulDims(each, parts) !== length)
    throw new GraphError(
      `split: axis ${axis} of ${printType(x.type)} does not divide into ${parts} equal parts; give their lengths`,
    );
  return new Array<Dim>(parts).fill(each);
}

export { concat as concatenate };
