// Comparisons, logic and selection. Comparisons give bool; where() chooses.
import { NUMBERS } from "../kernels.js";
import { apply, type Expression } from "../expression.js";
import { mapBroadcast } from "../nd.js";
import { expectDtype, meet, toExpression, type Operand } from "../operand.js";
import { operator, tensorRow, type Operator } from "../row.js";
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
export const logicalNot: Unary = unary("logicalNot", "Not", {
  ...test,
  doc: "Not x, for bool.",
  f: (x) => Number(x === 0),
  kernels: ["bool"],
});

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
