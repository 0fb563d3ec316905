// The arithmetic of shapes: what models compute from Shape to feed Reshape and its like is followed as dimensions, symbols included.
import { addDims, divideDims, mulDims, sizeOf, type Dim } from "../../dim.js";
import { GraphError } from "../../error.js";
import { dtypeAttribute } from "./row.js";
import type { Call } from "./call.js";
import type { Dims } from "./value.js";

/** Longer texts than this come from no real model. */
const TEXT = 200;

type Known = Omit<Dims, "derived">;
/** What an operator makes of dimensions; undefined where it cannot be said, so that it is read as any operator. */
type Rule = (call: Call) => Known | undefined;

/** The inputs as dimensions, if all are known and at least one comes from a tensor's shape. */
function followed(call: Call): Dims[] | undefined {
  const dims = call.inputs.map((value) => value?.dims);
  return dims.some((each) => each?.derived) && dims.every((each) => each !== undefined) ? dims : undefined;
}

const rule =
  (f: (call: Call, inputs: readonly Dims[]) => Known | undefined): Rule =>
  (call) => {
    const inputs = followed(call);
    return inputs && f(call, inputs);
  };

const vector = (values: readonly Dim[]): Known => ({ shape: [values.length], values });

/** `f` on each pair, a single value meeting every other. */
function pairs(f: (a: Dim, b: Dim) => Dim | undefined): Rule {
  return rule((_, [a, b]) => {
    if (!a || !b) return undefined;
    const length = Math.max(a.values.length, b.values.length);
    if ([a, b].some(({ values }) => values.length !== length && values.length !== 1)) return undefined;
    const values: Dim[] = [];
    for (let i = 0; i < length; i++) {
      const value = f(a.values[i % a.values.length]!, b.values[i % b.values.length]!);
      if (value === undefined) return undefined;
      if (typeof value === "string" && value.length > TEXT)
        throw new GraphError(`the dimension ${value.slice(0, 60)}... has too many terms`, "limit");
      values.push(value);
    }
    return { shape: a.shape.length > b.shape.length || a.values.length > 1 ? a.shape : b.shape, values };
  });
}

function numeric(f: (a: number, b: number) => number): (a: Dim, b: Dim) => Dim | undefined {
  return (a, b) => (typeof a === "number" && typeof b === "number" ? f(a, b) : undefined);
}

const same: Rule = rule((_, [x]) => x);

function shapeOf(call: Call): Known {
  const { shape, rank } = call.x(0);
  const at = (name: string, fallback: number): number => {
    const i = call.attributes.int(name, fallback);
    return Math.max(0, Math.min(rank, i < 0 ? i + rank : i));
  };
  return vector(shape.slice(at("start", 0), at("end", rank)));
}

function gather(call: Call, [x, at]: readonly Dims[]): Known | undefined {
  if (!x || !at || x.shape.length !== 1 || call.attributes.int("axis", 0) !== 0) return undefined;
  const values = at.values.map((i) => (typeof i === "number" ? x.values.at(i) : undefined));
  return values.every((value) => value !== undefined) ? { shape: at.shape, values } : undefined;
}

function slice(_: Call, [x, starts, ends, axes, steps]: readonly Dims[]): Known | undefined {
  if (x?.shape.length !== 1 || (axes && axes.values[0] !== 0 && axes.values[0] !== -1)) return undefined;
  const [start, end, step = 1] = [starts?.values[0], ends?.values[0], steps?.values[0]];
  if (typeof start !== "number" || typeof end !== "number" || step !== 1) return undefined;
  return vector(x.values.slice(start, end));
}

function divide(a: Dim, b: Dim): Dim | undefined {
  return typeof a === "number" && typeof b === "number" && b !== 0 ? Math.trunc(a / b) : divideDims(a, b);
}

function reshape(_: Call, [x, to]: readonly Dims[]): Known | undefined {
  if (!x || !to) return undefined;
  return to.values.length === 0
    ? { shape: [], values: x.values }
    : to.values.length === 1
      ? vector(x.values)
      : undefined;
}

/** Zero or one, where it can be said: a symbol stands for any length, so only what is equal as text is equal for sure. */
function equal(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return 1;
  // A dimension is never negative; exporters compare shapes with -1 to find what stays.
  if (typeof a === "number" && typeof b === "number") return 0;
  return [a, b].some((dim) => typeof dim === "number" && dim < 0) ? 0 : undefined;
}

function where(_: Call, [test, a, b]: readonly Dims[]): Known | undefined {
  if (!test || !a || !b) return undefined;
  const length = Math.max(test.values.length, a.values.length, b.values.length);
  if ([test, a, b].some(({ values }) => values.length !== length && values.length !== 1)) return undefined;
  const values = Array.from({ length }, (_, i) => {
    const choice = test.values[i % test.values.length] === 1 ? a : b;
    return choice.values[i % choice.values.length]!;
  });
  return { shape: [test, a, b].find(({ shape }) => shape.length > 0)?.shape ?? [], values };
}

function withDtype(known: Known | undefined, dtype: "bool"): Known | undefined {
  return known && { ...known, dtype };
}

export const dimensionArithmetic: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["Shape", shapeOf],
  ["Size", (call) => ({ shape: [], values: [sizeOf(call.x(0).shape)] })],
  ["Identity", same],
  ["Cast", (call) => (dtypeAttribute(call.attributes.int("to"), "to") === "int64" ? same(call) : undefined)],
  ["Squeeze", rule((_, [x]) => x && (x.values.length === 1 ? { shape: [], values: x.values } : undefined))],
  ["Unsqueeze", rule((_, [x]) => (x?.shape.length === 0 ? vector(x.values) : undefined))],
  [
    "Concat",
    rule((_, xs) =>
      xs.every(({ shape }) => shape.length === 1) ? vector(xs.flatMap(({ values }) => values)) : undefined,
    ),
  ],
  ["Gather", rule(gather)],
  ["Slice", rule(slice)],
  ["Reshape", rule(reshape)],
  ["Add", pairs(addDims)],
  ["Sub", pairs((a, b) => addDims(a, mulDims(b, -1)))],
  ["Mul", pairs(mulDims)],
  ["Div", pairs(divide)],
  ["Mod", pairs(numeric((a, b) => a - b * Math.floor(a / b)))],
  ["Max", pairs((a, b) => (a === b ? a : numeric(Math.max)(a, b)))],
  ["Min", pairs((a, b) => (a === b ? a : numeric(Math.min)(a, b)))],
  ["Equal", (call) => withDtype(pairs(equal)(call), "bool")],
  ["Where", rule(where)],
  [
    "ReduceProd",
    rule(
      (call, [x]) =>
        x && { shape: call.attributes.int("keepdims", 1) ? [1] : [], values: [sizeOf(x.values)] },
    ),
  ],
]);
