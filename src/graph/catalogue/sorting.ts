// Order along an axis; and what has as many elements as the data say: unique, nonzero. NaN has no place in an order: engines differ about it.
import { freshSymbol, sizeOf, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, applyAll, type Expression } from "../expression.js";
import { NUMBERS } from "../kernels.js";
import { count, eachIndex, Nd } from "../nd.js";
import { castTo, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Operator } from "../row.js";
import { axisOf, printType } from "../shape.js";
import { bound } from "./pattern.js";

export interface TopKOptions {
  readonly axis?: number;
  /** The smallest instead of the largest. */
  readonly smallest?: boolean;
}
export interface SortOptions {
  readonly descending?: boolean;
}
/** Sorted elements, and where each stood. */
export interface Ranked {
  readonly values: Expression;
  readonly indices: Expression;
}

interface TopKAttrs {
  readonly axis: number;
  readonly largest: number;
  readonly k: Dim;
}

const topkRow = tensorRow<TopKAttrs>({
  name: "topk",
  family: "index",
  doc: "The k largest or smallest elements along an axis, best first and the first of equals first, and their positions.",
  onnx: "TopK",
  attributes: { axis: "int", largest: "int" },
  operands: { k: "dim" },
  kernels: NUMBERS,
  infer: ([x], { axis, k }) => {
    const shape = x!.shape.with(axis, k);
    return [
      { dtype: x!.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  flops: ({ inputs: [x], attrs: { axis } }) => {
    const shape = bound(x!);
    return count(shape) * Math.ceil(Math.log2(shape[axis]! + 1));
  },
  gradient: ({ inputs: [x], outputs, grads, attrs: { axis } }) => [
    grads[0] &&
      toExpression("topk", 0, x!.dtype).broadcastTo(x!.shape).scatter(outputs[1]!, grads[0], { axis }),
  ],
  evaluate: ([x], { axis, largest }, { outputs: [out] }) => {
    const values = Nd.zeros(x!.dtype, bound(out!));
    const indices = Nd.zeros("int64", bound(out!));
    const length = x!.shape[axis]!;
    const kept = values.shape[axis]!;
    const inner = count(x!.shape.slice(axis + 1));
    const sign = largest ? -1 : 1;
    for (let o = 0; o < count(x!.shape.slice(0, axis)); o++)
      for (let i = 0; i < inner; i++) {
        const from = o * length * inner + i;
        const order = Array.from({ length }, (_, j) => j).sort(
          (a, b) => sign * (x!.data[from + a * inner]! - x!.data[from + b * inner]!) || a - b,
        );
        for (let j = 0; j < kept; j++) {
          const to = o * kept * inner + j * inner + i;
          values.data[to] = x!.data[from + order[j]! * inner]!;
          indices.data[to] = order[j]!;
        }
      }
    return [values, indices];
  },
  cuts: ({ inputs: [x], attrs }) =>
    x!.shape.flatMap((_, axis) => (axis === attrs.axis ? [] : { inputs: [axis], join: { concat: axis } })),
});

function ranked(who: string, x: Expression, axis: number, k: Dim, largest: boolean): Ranked {
  const own = axisOf(who, axis, x.rank);
  const [values, indices] = applyAll(topkRow, [x], { axis: own, largest: Number(largest), k });
  return { values: values!, indices: indices! };
}

export const topk: Operator<(x: Operand, k: Dim, options?: TopKOptions) => Ranked> = operator(
  topkRow,
  (operand: Operand, k: Dim, { axis = -1, smallest = false }: TopKOptions = {}) => {
    const x = toExpression("topk", operand);
    const length = x.shape[axisOf("topk", axis, x.rank)]!;
    if (
      typeof k === "number" &&
      (!Number.isInteger(k) || k < 0 || (typeof length === "number" && k > length))
    )
      throw new GraphError(
        `topk: ${k} elements of ${printType(x.type)} along axis ${axis}; it has ${length}, ask for a whole number up to that`,
      );
    return ranked("topk", x, axis, k, !smallest);
  },
);

function sorted(who: string, operand: Operand, axis: number, { descending = false }: SortOptions): Ranked {
  const x = toExpression(who, operand);
  return ranked(who, x, axis, x.shape[axisOf(who, axis, x.rank)]!, descending);
}

export const sort: Operator<(x: Operand, axis?: number, options?: SortOptions) => Expression> = operator(
  compositionRow("sort", "index", "The elements in order along an axis, the last unless told."),
  (x: Operand, axis = -1, options: SortOptions = {}) => sorted("sort", x, axis, options).values,
);
export const argsort: Operator<(x: Operand, axis?: number, options?: SortOptions) => Expression> = operator(
  compositionRow("argsort", "index", "The positions that put an axis in order; equals keep theirs.", false),
  (x: Operand, axis = -1, options: SortOptions = {}) => sorted("argsort", x, axis, options).indices,
);

/** What unique knows of its operand. */
export interface Unique {
  /** Each value once, ascending. */
  readonly values: Expression;
  /** Where each value first stood, among the flattened elements. */
  readonly indices: Expression;
  /** For each element the position of its value. */
  readonly inverse: Expression;
  /** How often each value stood. */
  readonly counts: Expression;
}

const uniqueRow = tensorRow<{ length: string }>({
  name: "uniqueAll",
  family: "index",
  doc: "Each value once and ascending, where it first stood, which of them each element is, and how often each stood.",
  onnx: "Unique",
  attributes: { length: "fresh" },
  kernels: ["float32", "float64", "int64"],
  bounds: ([x], { length }) => ({ [length]: sizeOf(x!.shape) }),
  infer: ([x], { length }) => [
    { dtype: x!.dtype, shape: [length] },
    { dtype: "int64", shape: [length] },
    { dtype: "int64", shape: [sizeOf(x!.shape)] },
    { dtype: "int64", shape: [length] },
  ],
  flops: ({ inputs: [x] }) => {
    const size = count(bound(x!));
    return size * Math.ceil(Math.log2(size + 1));
  },
  evaluate: ([x]) => {
    const values = Float64Array.from(new Set(x!.data)).sort();
    const at = new Map(Array.from(values, (value, i) => [value, i]));
    const inverse = x!.data.map((value) => at.get(value)!);
    const counts = new Float64Array(values.length);
    const first = new Float64Array(values.length).fill(-1);
    inverse.forEach((value, i) => {
      counts[value]!++;
      if (first[value] === -1) first[value] = i;
    });
    const length = [values.length];
    return [
      new Nd(x!.dtype, length, values),
      new Nd("int64", length, first),
      new Nd("int64", [inverse.length], inverse),
      new Nd("int64", length, counts),
    ];
  },
});
export const uniqueAll: Operator<(x: Operand) => Unique> = operator(uniqueRow, (x: Operand) => {
  const [values, indices, inverse, counts] = applyAll(uniqueRow, [toExpression("unique", x)], {
    length: freshSymbol("unique"),
  });
  return { values: values!, indices: indices!, inverse: inverse!, counts: counts! };
});
export const unique: Operator<(x: Operand) => Expression> = operator(
  compositionRow("unique", "index", "Each value once, ascending.", false),
  (x: Operand) => uniqueAll(x).values,
);

const nonzeroRow = tensorRow<{ length: string }>({
  name: "nonzero",
  family: "index",
  doc: "The positions of elements that are not 0: a row for each axis, a column for each element.",
  onnx: "NonZero",
  attributes: { length: "fresh" },
  kernels: ["bool"],
  bounds: ([x], { length }) => ({ [length]: sizeOf(x!.shape) }),
  infer: ([x], { length }) => [{ dtype: "int64", shape: [x!.shape.length, length] }],
  flops: ({ inputs: [x] }) => count(bound(x!)),
  gradient: "zero",
  evaluate: ([x]) => {
    const found: number[][] = [];
    eachIndex(x!.shape, (index, flat) => {
      if (x!.data[flat] !== 0) found.push([...index]);
    });
    const rank = x!.shape.length;
    const data = Float64Array.from({ length: rank * found.length }, (_, i) => {
      return found[i % found.length]![Math.floor(i / found.length)]!;
    });
    return [new Nd("int64", [rank, found.length], data)];
  },
});
export const nonzero: Operator<(x: Operand) => Expression> = operator(nonzeroRow, (operand: Operand) => {
  const x = castTo(toExpression("nonzero", operand), "bool");
  return apply(nonzeroRow, [x.rank === 0 ? x.reshape([1]) : x], { length: freshSymbol("nonzero") });
});
