// Reading by tensors of positions, in ONNX's three manners; the gradients scatter.
import { apply, type Expression } from "../expression.js";
import { ALL } from "../kernels.js";
import { count, Nd } from "../nd.js";
import { toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Cut, type Io, type Operator } from "../row.js";
import { axisOf } from "../shape.js";
import { bound } from "./pattern.js";
import { eachAlong, eachNd, expectAlong, position, positions, restOf, zeros } from "./positions.js";

const family = "index" as const;
const noFlops = (): number => 0;

interface AxisAttrs {
  readonly axis: number;
}

const takeRow = tensorRow<AxisAttrs>({
  name: "take",
  family,
  doc: "The slices at `indices` along an axis, which the axes of the indices replace; without an axis, of the flattened elements. Negative indices count from the end.",
  onnx: "Gather",
  attributes: { axis: "int" },
  kernels: ALL,
  kernelInputs: [0],
  infer: ([x, indices], { axis }) => [
    { dtype: x!.dtype, shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)] },
  ],
  flops: noFlops,
  gradient: ({ inputs: [x, indices], g, attrs: { axis } }) => {
    const n = indices!.rank;
    const rest = g.shape.map((_, i) => i).filter((i) => i < axis || i >= axis + n);
    const own = Array.from({ length: n }, (_, i) => axis + i);
    const front = [axis, ...x!.shape.map((_, i) => i).filter((i) => i !== axis)];
    const summed = zeros(
      g,
      front.map((i) => x!.shape[i]!),
    ).scatterNd(indices!.expandDims(-1), g.transpose([...own, ...rest]), "add");
    return [summed.transpose(front.map((_, i) => front.indexOf(i))), undefined];
  },
  evaluate: ([x, indices], { axis }, { outputs: [out] }) => {
    const inner = count(x!.shape.slice(axis + 1));
    const length = x!.shape[axis]!;
    const y = Nd.zeros(x!.dtype, bound(out!));
    for (let o = 0, to = 0; o < count(x!.shape.slice(0, axis)); o++)
      for (const index of indices!.data) {
        const from = (o * length + position("take", index, length)) * inner;
        y.data.set(x!.data.subarray(from, from + inner), to);
        to += inner;
      }
    return [y];
  },
  cuts: ({ inputs: [x, indices], attrs: { axis } }) => {
    const n = indices!.shape.length;
    const own = indices!.shape.map((_, i): Cut => ({ inputs: [null, i], join: { concat: axis + i } }));
    const rest = x!.shape.flatMap((_, i): Cut[] =>
      i === axis ? [] : [{ inputs: [i, null], join: { concat: i < axis ? i : i - 1 + n } }],
    );
    return [...own, ...rest];
  },
});
export const take: Operator<(x: Operand, indices: Operand, axis?: number) => Expression> = operator(
  takeRow,
  (operand: Operand, indices: Operand, axis?: number) => {
    const x = toExpression("take", operand);
    const at = positions("take", indices);
    return axis === undefined
      ? apply(takeRow, [x.flatten(), at], { axis: 0 })
      : apply(takeRow, [x, at], { axis: axisOf("take", axis, x.rank) });
  },
);

export const gather: Operator<(x: Operand, indices: Operand, axis?: number) => Expression> = operator(
  compositionRow("gather", family, "The slices at `indices` along an axis, the first unless told."),
  (x: Operand, indices: Operand, axis = 0) => take(x, indices, axis),
);

const takeAlongAxisRow = tensorRow<AxisAttrs>({
  name: "takeAlongAxis",
  family,
  doc: "For each place of `indices`, the element of x at that place, but with the index for its position along an axis.",
  onnx: "GatherElements",
  attributes: { axis: "int" },
  kernels: ALL,
  kernelInputs: [0],
  infer: ([x, indices], { axis }) => [
    { dtype: x!.dtype, shape: expectAlong("takeAlongAxis", x!, indices!, axis) },
  ],
  flops: noFlops,
  gradient: ({ inputs: [x, indices], g, attrs: { axis } }) => [
    zeros(g, x!.shape).scatter(indices!, g, { axis, reduction: "add" }),
    undefined,
  ],
  evaluate: ([x, indices], { axis }) => {
    const y = Nd.zeros(x!.dtype, indices!.shape);
    eachAlong("takeAlongAxis", x!.shape, indices!, axis, (from, to) => (y.data[to] = x!.data[from]!));
    return [y];
  },
  cuts: ({ inputs: [x, indices], attrs: { axis } }) =>
    x!.shape.flatMap((dim, i) =>
      i === axis || dim !== indices!.shape[i] ? [] : { inputs: [i, i], join: { concat: i } },
    ),
});
export const takeAlongAxis: Operator<(x: Operand, indices: Operand, axis?: number) => Expression> = operator(
  takeAlongAxisRow,
  (operand: Operand, indices: Operand, axis = -1) => {
    const x = toExpression("takeAlongAxis", operand);
    return apply(takeAlongAxisRow, [x, positions("takeAlongAxis", indices)], {
      axis: axisOf("takeAlongAxis", axis, x.rank),
    });
  },
);

const gatherNdRow = tensorRow({
  name: "gatherNd",
  family,
  doc: "The elements, or slices, at positions along the first axes of x, which the last axis of `indices` holds.",
  onnx: "GatherND",
  kernels: ALL,
  kernelInputs: [0],
  infer: ([x, indices]) => [
    { dtype: x!.dtype, shape: [...indices!.shape.slice(0, -1), ...restOf("gatherNd", x!, indices!)] },
  ],
  flops: noFlops,
  gradient: ({ inputs: [x, indices], g }) => [zeros(g, x!.shape).scatterNd(indices!, g, "add"), undefined],
  evaluate: ([x, indices], _, { outputs: [out] }) => {
    const y = Nd.zeros(x!.dtype, bound(out!));
    eachNd("gatherNd", x!.shape, indices!, (from, to, run) => {
      y.data.set(x!.data.subarray(from, from + run), to);
    });
    return [y];
  },
  cuts: leadingCuts,
});
export const gatherNd: Operator<(x: Operand, indices: Operand) => Expression> = operator(
  gatherNdRow,
  (x: Operand, indices: Operand) =>
    apply(gatherNdRow, [toExpression("gatherNd", x), positions("gatherNd", indices)]),
);

function leadingCuts({ inputs: [, indices] }: Io<unknown>): Cut[] {
  return indices!.shape.slice(0, -1).map((_, axis) => ({ inputs: [null, axis], join: { concat: axis } }));
}
