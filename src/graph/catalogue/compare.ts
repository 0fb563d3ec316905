// Comparisons, logic and selection. Comparisons give bool; where() chooses.
import { FLOATS, NUMBERS } from "../kernels.js";
import { apply, type Expression } from "../expression.js";
import { mapBroadcast } from "../nd.js";
import { castTo, expectDtype, meet, toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Operator } from "../row.js";
import { broadcast } from "../shape.js";
import { binary, bound, elementwiseCuts, elements, unary, type Binary, type Unary } from "./pattern.js";

const family = "compare" as const;
const test = { family, result: "bool", gradient: "zero" } as const;

export const equal: Binary = binary("equal", "Equal", {
  ...test,
  doc: "a == b.",
  f: (a, b) => Number(a === b),
  kernels: ["float32", "float64", "int32", "int64", "bool"],
});
export const greater: Binary = binary("greater", "Greater", {
  ...test,
  doc: "a > b.",
  f: (a, b) => Number(a > b),
});
export const less: Binary = binary("less", "Less", { ...test, doc: "a < b.", f: (a, b) => Number(a < b) });
export const greaterEqual: Binary = binary("greaterEqual", "GreaterOrEqual", {
  ...test,
  doc: "a >= b.",
  f: (a, b) => Number(a >= b),
});
export const lessEqual: Binary = binary("lessEqual", "LessOrEqual", {
  ...test,
  doc: "a <= b.",
  f: (a, b) => Number(a <= b),
});

export const notEqual: Binary = operator(
  compositionRow("notEqual", family, "a != b; true where either is NaN."),
  (a: Operand, b: Operand) => equal(a, b).logicalNot(),
);

/** Any dtype may be asked whether it is true: where it is not 0. */
function logic(name: string, onnx: string, doc: string, f: (a: number, b: number) => boolean): Binary {
  const row = binary(name, onnx, { ...test, doc, f: (a, b) => Number(f(a, b)), kernels: ["bool"] });
  return operator(row.row, (a: Operand, b: Operand) => row(truth(name, a), truth(name, b)));
}
function truth(who: string, x: Operand): Expression {
  return castTo(toExpression(who, x), "bool");
}

export const logicalAnd: Binary = logic("logicalAnd", "And", "Both a and b; what is not 0 is true.", (a, b) =>
  Boolean(a && b),
);
export const logicalOr: Binary = logic("logicalOr", "Or", "a or b or both; what is not 0 is true.", (a, b) =>
  Boolean(a || b),
);
export const logicalXor: Binary = logic(
  "logicalXor",
  "Xor",
  "a or b, not both; what is not 0 is true.",
  (a, b) => a !== b,
);

const not = unary("logicalNot", "Not", {
  ...test,
  doc: "Not x; what is not 0 is true.",
  f: (x) => Number(x === 0),
  kernels: ["bool"],
});
export const logicalNot: Unary = operator(not.row, (x: Operand) => not(truth("logicalNot", x)));

export const isNaN: Unary = unary("isNaN", "IsNaN", {
  ...test,
  doc: "True where x is not a number.",
  f: (x) => Number(Number.isNaN(x)),
  kernels: FLOATS,
});
export const isInf: Unary = unary("isInf", "IsInf", {
  ...test,
  doc: "True where x is infinite, of either sign.",
  f: (x) => Number(Math.abs(x) === Infinity),
  kernels: FLOATS,
});
export const isFinite: Unary = operator(
  compositionRow("isFinite", family, "True where x is neither infinite nor NaN."),
  (x: Operand) => toFloat("isFinite", x).abs().less(Infinity),
);
export const isClose: Operator<
  (a: Operand, b: Operand, tolerance?: { relative?: number; absolute?: number }) => Expression
> = operator(
  compositionRow(
    "isClose",
    family,
    "True where |a - b| is at most absolute + relative * |b|, or where they are equal.",
  ),
  (
    first: Operand,
    second: Operand,
    { relative = 1e-5, absolute = 1e-8 }: { relative?: number; absolute?: number } = {},
  ) => {
    const [a, b] = meet("isClose", first, second).map((x) => toFloat("isClose", x)) as [
      Expression,
      Expression,
    ];
    const limit = b.abs().mul(relative).add(absolute);
    return a.sub(b).abs().lessEqual(limit).logicalAnd(limit.less(Infinity)).logicalOr(a.equal(b));
  },
);

const whereRow = tensorRow({
  name: "where",
  family,
  doc: "a where the condition holds, b elsewhere; all three broadcast.",
  onnx: "Where",
  kernels: NUMBERS,
  kernelInputs: [1, 2],
  infer: ([c, a, b]) => [{ dtype: a!.dtype, shape: broadcast("where", c!.shape, a!.shape, b!.shape) }],
  flops: elements,
  gradient: ({ inputs: [c], g }) => {
    const zero = toExpression("where", 0, g.dtype);
    return [undefined, c!.where(g, zero), c!.where(zero, g)];
  },
  evaluate: (inputs, _, { outputs: [out] }) => [
    mapBroadcast(out!.dtype, bound(out!), inputs, (c, a, b) => (c ? a! : b!)),
  ],
  cuts: elementwiseCuts,
});
export const where: Operator<(condition: Operand, a: Operand, b: Operand) => Expression> = operator(
  whereRow,
  (condition: Operand, a: Operand, b: Operand) => {
    const test = toExpression("where", condition);
    expectDtype("where", "the condition", test, ["bool"]);
    return apply(whereRow, [test, ...meet("where", a, b)]);
  },
);

export * from "./bitwise.js";
