// Indexing as NumPy writes it between brackets: x.at(0, "1:-1", "...", [2, 0]); and setting what it names.
import { arange, full } from "../creation.js";
import { addDims, type Dim } from "../dim.js";
import { GraphError } from "../error.js";
import { Expression } from "../expression.js";
import { castTo, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, type Operator } from "../row.js";
import { axisOf, isFloat, printType } from "../shape.js";
import type { Position } from "./indexing.js";
import { stack } from "./join.js";

const family = "index" as const;

/**
 * One axis each: a number takes one element and drops the axis; text takes a slice "start:stop:step", each part open
 * where empty, "..." all axes that are left, "new" adds an axis; a list or an expression of integers takes those elements.
 */
export type Subscript = number | string | readonly number[] | Expression;

type Step =
  | { readonly kind: "one"; readonly index: number }
  | { readonly kind: "slice"; readonly start: Position; readonly stop: Position; readonly step: number }
  | { readonly kind: "take"; readonly indices: Expression }
  | { readonly kind: "new" };

export const at: Operator<(x: Operand, ...subscripts: Subscript[]) => Expression> = operator(
  compositionRow(
    "at",
    family,
    'The part that subscripts name, as in x.at(0, "1:-1", "...", [2, 0]), or all in one text: x.at("0, 1:-1, ...").',
  ),
  (operand: Operand, ...subscripts: Subscript[]) => {
    const x = toExpression("at", operand);
    const steps = parse("at", x, subscripts);
    let y = sliced(x, steps);
    const lists = steps.filter(({ kind }) => kind === "take").length;
    if (lists > 1)
      throw new GraphError(
        `at: ${lists} subscripts are lists; take along one axis at a time, or use gatherNd() for positions along several`,
      );
    let axis = 0;
    for (const step of steps) {
      if (step.kind === "new") y = y.expandDims(axis++);
      else if (step.kind === "one") y = y.squeeze(axis);
      else if (step.kind === "take") {
        y = y.take(step.indices, axis);
        axis += step.indices.rank;
      } else axis++;
    }
    return y;
  },
);

export const setValue: Operator<
  (x: Operand, subscripts: Subscript | readonly Subscript[], value: Operand) => Expression
> = operator(
  compositionRow(
    "setValue",
    family,
    "x with another value, which broadcasts, where subscripts name it; a list of subscripts names an axis each.",
  ),
  (operand: Operand, subscripts: Subscript | readonly Subscript[], value: Operand) => {
    const x = toExpression("setValue", operand);
    const list = isList(subscripts) ? subscripts : [subscripts];
    const steps = parse("setValue", x, list);
    const own = steps.filter((step) => step.kind !== "new");
    const taken = own.findIndex((step) => step.kind === "take");
    const to = castTo(toExpression("setValue", value, x.dtype), x.dtype);
    const target = to.broadcastTo(at(x, ...list).shape);
    if (taken >= 0) return setTaken(x, own, taken, target);
    const kept = target.reshape(sliced(x, own).shape);
    const { starts, axes, strides } = placesOf(x, own);
    if (axes.length === 0) return kept;
    const there = full([], 1, { dtype: "bool" })
      .broadcastTo(kept.shape)
      .unslice(x.shape, starts, axes, strides);
    return there.where(kept.unslice(x.shape, starts, axes, strides), x);
  },
);

/** Elements along one axis by a list of indices; all other axes whole. */
function setTaken(x: Expression, steps: readonly Step[], axis: number, value: Expression): Expression {
  const step = steps[axis]!;
  if (step.kind !== "take" || steps.some((other, i) => i !== axis && !isWhole(other)))
    throw new GraphError(
      'setValue: beside a list of indices the other subscripts must be ":"; set one axis at a time, or use scatterNd()',
    );
  const n = step.indices.rank;
  const own = Array.from({ length: n }, (_, i) => axis + i);
  const rest = value.shape.map((_, i) => i).filter((i) => i < axis || i >= axis + n);
  const front = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
  const set = x.transpose(front).scatterNd(step.indices.expandDims(-1), value.transpose([...own, ...rest]));
  return set.transpose(front.map((_, i) => front.indexOf(i)));
}

function isWhole(step: Step): boolean {
  return step.kind === "slice" && step.start === null && step.stop === null && step.step === 1;
}

/** The slices of all axes in one operator; an axis of one element keeps length 1. */
function sliced(x: Expression, steps: readonly Step[]): Expression {
  const own = steps.filter((step) => step.kind !== "new");
  const { starts, ends, axes, strides } = placesOf(x, own);
  return axes.length === 0 ? x : x.slice(starts, ends, axes, strides);
}

/** Where the slices start and end, positions counted from 0. */
function placesOf(
  x: Expression,
  steps: readonly Step[],
): { starts: Dim[]; ends: Position[]; axes: number[]; strides: number[] } {
  const starts: Dim[] = [];
  const ends: Position[] = [];
  const axes: number[] = [];
  const strides: number[] = [];
  steps.forEach((step, axis) => {
    if (step.kind === "new" || step.kind === "take" || isWhole(step)) return;
    const { start, stop, step: stride } = step.kind === "one" ? one(x, axis, step.index) : step;
    starts.push(firstOf(x, axis, start, stride));
    ends.push(stop);
    axes.push(axis);
    strides.push(stride);
  });
  return { starts, ends, axes, strides };
}

function firstOf(x: Expression, axis: number, start: Position, step: number): Dim {
  const length = x.shape[axis]!;
  if (start === null) return step > 0 ? 0 : addDims(length, -1);
  const from = typeof start === "number" && start < 0 ? addDims(length, start) : start;
  if (typeof from === "string" || typeof length === "string") return from;
  return Math.min(Math.max(from, 0), step > 0 ? length : length - 1);
}

function one(x: Expression, axis: number, index: number): { start: Dim; stop: Position; step: number } {
  const length = x.shape[axis]!;
  if (!Number.isInteger(index) || (typeof length === "number" && (index < -length || index >= length)))
    throw new GraphError(`at: index ${index} is outside axis ${axis} of ${printType(x.type)}`);
  return { start: index, stop: index === -1 ? null : index + 1, step: 1 };
}

/** Subscripts for every axis, in order; the dots become whole slices. */
function parse(who: string, x: Expression, subscripts: readonly Subscript[]): Step[] {
  const parts = subscripts.flatMap((each): Subscript[] =>
    typeof each === "string" ? each.split(",").map((part) => part.trim()) : [each],
  );
  const named = parts.filter((part) => part !== "..." && part !== "new").length;
  const dots = parts.filter((part) => part === "...").length;
  if (named > x.rank || dots > 1)
    throw new GraphError(
      dots > 1
        ? `${who}: "..." stands ${dots} times; it can stand once`
        : `${who}: ${named} subscripts for ${printType(x.type)}, which has ${x.rank} axes`,
    );
  const open = Array.from({ length: x.rank - named }, () => ":");
  const all = dots === 0 ? [...parts, ...open] : parts.flatMap((part) => (part === "..." ? open : [part]));
  return all.map((part) => stepOf(who, part));
}

function stepOf(who: string, part: Subscript): Step {
  if (typeof part === "number") return { kind: "one", index: part };
  if (typeof part !== "string") {
    const indices = toExpression(who, part instanceof Expression ? part : [...part], "int64");
    if (isFloat(indices.dtype) || indices.dtype === "bool")
      throw new GraphError(
        `${who}: a subscript is ${printType(indices.type)}; it must be of integers (for a mask use where() or nonzero())`,
      );
    return { kind: "take", indices };
  }
  if (part === "new") return { kind: "new" };
  if (/^-?\d+$/.test(part)) return { kind: "one", index: Number(part) };
  const fields = part.split(":").map((field) => field.trim());
  const place = (text: string | undefined): Position =>
    text === undefined || text === "" ? null : /^-?\d+$/.test(text) ? Number(text) : text;
  const step = place(fields[2]) ?? 1;
  if (
    fields.length < 2 ||
    fields.length > 3 ||
    typeof step !== "number" ||
    step === 0 ||
    !fields.slice(0, 2).every((field) => /^(-?\d+|[A-Za-z_][\w.*+-]*)?$/.test(field))
  )
    throw new GraphError(
      `${who}: the subscript "${part}" is not understood; write a number, "start:stop:step" with each part open where empty, "..." or "new"`,
    );
  return { kind: "slice", start: place(fields[0]), stop: place(fields[1]), step };
}

/** A list of subscripts, rather than one subscript that is a list of indices. */
function isList(subscripts: Subscript | readonly Subscript[]): subscripts is readonly Subscript[] {
  return Array.isArray(subscripts) && subscripts.some((each) => typeof each !== "number");
}

export const foreach: Operator<
  (x: Operand, f: (slice: Expression, index: number) => Expression, axis?: number) => Expression
> = operator(
  compositionRow("foreach", family, "f of each slice along an axis, the results stacked along it."),
  (operand: Operand, f: (slice: Expression, index: number) => Expression, axis = 0) => {
    const x = toExpression("foreach", operand);
    const along = axisOf("foreach", axis, x.rank);
    const length = x.shape[along]!;
    if (typeof length === "string" || length === 0)
      throw new GraphError(
        `foreach: axis ${axis} of ${printType(x.type)} has ${length} slices; their number must be known, and not 0`,
      );
    const results = x.split(length, along).map((slice, i) => f(slice.squeeze(along), i));
    return stack(results, Math.min(along, results[0]!.rank));
  },
);

export const findIndex: Operator<(x: Operand, values: Operand) => Expression> = operator(
  compositionRow(
    "findIndex",
    family,
    "For each value the position of the first equal element among those of x, flattened; -1 where there is none.",
    false,
  ),
  (operand: Operand, values: Operand) => {
    const x = toExpression("findIndex", operand).flatten();
    const hit = x.equal(toExpression("findIndex", values, x.dtype).expandDims(-1));
    const far = x.shape[0]!;
    if (typeof far === "string")
      throw new GraphError(`findIndex: ${printType(x.type)} has no known length; use equal() and argmax()`);
    const first = hit.where(arange(far), toExpression("findIndex", far, "int64")).min(-1);
    return first.equal(far).where(toExpression("findIndex", -1, "int64"), first);
  },
);

export const findIndices: Operator<(x: Operand, value: Operand) => Expression> = operator(
  compositionRow(
    "findIndices",
    family,
    "The positions of all elements equal to a value: a row for each, a column for each axis, as gatherNd takes them.",
    false,
  ),
  (operand: Operand, value: Operand) => {
    const x = toExpression("findIndices", operand);
    return x.equal(value).nonzero().transpose();
  },
);
