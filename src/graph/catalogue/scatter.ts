// Writing at tensors of positions, in ONNX's two manners; the gradients gather.
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { NUMBERS } from "../kernels.js";
import { count, Nd, wrapTo } from "../nd.js";
import { meet, type Operand } from "../operand.js";
import { operator, tensorRow, type Operator } from "../row.js";
import { axisOf, printType, sameShape } from "../shape.js";
import { bound } from "./pattern.js";
import { eachAlong, eachNd, expectAlong, positions, restOf, zeros } from "./positions.js";

const family = "index" as const;

/** What happens where something stands already; "none" replaces it, and must not meet an index twice. */
export type Reduction = "none" | "add" | "mul" | "max" | "min";
export interface ScatterOptions {
  readonly axis?: number;
  readonly reduction?: Reduction;
}
const JOIN: Readonly<Record<Reduction, (old: number, value: number) => number>> = {
  none: (_, value) => value,
  add: (old, value) => old + value,
  mul: (old, value) => old * value,
  max: Math.max,
  min: Math.min,
};

interface ScatterAttrs {
  readonly axis: number;
  readonly reduction: Reduction;
}

const scatterRow = tensorRow<ScatterAttrs>({
  name: "scatter",
  family,
  doc: "x with each update at its own place, but with the index for its position along an axis: the reverse of takeAlongAxis.",
  onnx: "ScatterElements",
  attributes: { axis: "int", reduction: "string" },
  kernels: NUMBERS,
  kernelInputs: [0, 2],
  infer: ([x, indices, updates], { axis }) => {
    expectAlong("scatter", x!, indices!, axis);
    if (!sameShape(indices!.shape, updates!.shape))
      throw new GraphError(
        `scatter: updates ${printType(updates!)} and indices ${printType(indices!)} differ in shape`,
      );
    return [x!];
  },
  flops: ({ inputs: [, indices] }) => count(bound(indices!)),
  gradient: ({ inputs: [, indices, updates], g, attrs: { axis, reduction } }) => {
    const kept = differentiable("scatter", reduction)
      ? g
      : g.scatter(indices!, zeros(g, updates!.shape), { axis });
    return [kept, undefined, g.takeAlongAxis(indices!, axis)];
  },
  evaluate: ([x, indices, updates], { axis, reduction }) => {
    const y = new Nd(x!.dtype, x!.shape, x!.data.slice());
    const [join, wrap] = [JOIN[reduction], wrapTo(x!.dtype)];
    eachAlong("scatter", x!.shape, indices!, axis, (to, from) => {
      y.data[to] = wrap(join(y.data[to]!, updates!.data[from]!));
    });
    return [y];
  },
});
export const scatter: Operator<
  (x: Operand, indices: Operand, updates: Operand, options?: ScatterOptions) => Expression
> = operator(
  scatterRow,
  (
    operand: Operand,
    indices: Operand,
    updates: Operand,
    { axis = 0, reduction = "none" }: ScatterOptions = {},
  ) => {
    const [x, values] = meet("scatter", operand, updates) as [Expression, Expression];
    const at = positions("scatter", indices);
    return apply(scatterRow, [x, at, values.broadcastTo(at.shape)], {
      axis: axisOf("scatter", axis, x.rank),
      reduction,
    });
  },
);

const scatterNdRow = tensorRow<{ reduction: Reduction }>({
  name: "scatterNd",
  family,
  doc: "x with updates, elements or slices, at positions along its first axes, which the last axis of `indices` holds: the reverse of gatherNd.",
  onnx: "ScatterND",
  attributes: { reduction: "string" },
  kernels: NUMBERS,
  kernelInputs: [0, 2],
  infer: ([x, indices, updates]) => {
    const shape = [...indices!.shape.slice(0, -1), ...restOf("scatterNd", x!, indices!)];
    if (!sameShape(shape, updates!.shape))
      throw new GraphError(
        `scatterNd: updates are ${printType(updates!)}; these indices want [${shape.join()}]`,
      );
    return [x!];
  },
  flops: ({ inputs: [, , updates] }) => count(bound(updates!)),
  gradient: ({ inputs: [, indices, updates], g, attrs: { reduction } }) => {
    const kept = differentiable("scatterNd", reduction) ? g : g.scatterNd(indices!, zeros(g, updates!.shape));
    return [kept, undefined, g.gatherNd(indices!)];
  },
  evaluate: ([x, indices, updates], { reduction }) => {
    const y = new Nd(x!.dtype, x!.shape, x!.data.slice());
    const [join, wrap] = [JOIN[reduction], wrapTo(x!.dtype)];
    eachNd("scatterNd", x!.shape, indices!, (to, from, run) => {
      for (let i = 0; i < run; i++) y.data[to + i] = wrap(join(y.data[to + i]!, updates!.data[from + i]!));
    });
    return [y];
  },
});
export const scatterNd: Operator<
  (x: Operand, indices: Operand, updates: Operand, reduction?: Reduction) => Expression
> = operator(
  scatterNdRow,
  (operand: Operand, indices: Operand, updates: Operand, reduction: Reduction = "none") => {
    const [x, values] = meet("scatterNd", operand, updates) as [Expression, Expression];
    const at = positions("scatterNd", indices);
    const shape = [...at.shape.slice(0, -1), ...restOf("scatterNd", x.type, at.type)];
    return apply(scatterNdRow, [x, at, values.broadcastTo(shape)], { reduction });
  },
);

/** Whether updates add up; false where they replace; an error for what has no gradient. */
function differentiable(who: string, reduction: Reduction): boolean {
  if (reduction !== "add" && reduction !== "none")
    throw new GraphError(
      `gradients: ${who} with reduction "${reduction}" has no gradient; only "add" and "none" have`,
    );
  return reduction === "add";
}
