// Bits of integers.
import type { DType } from "../../tensor/index.js";
import { GraphError } from "../error.js";
import { isFloat } from "../shape.js";
import { meet, toExpression, type Operand } from "../operand.js";
import { operator } from "../row.js";
import { binary, unary, type Binary, type Unary } from "./pattern.js";

const INTEGERS = ["uint8", "int32", "int64"] as const satisfies readonly DType[];
const kernels = { family: "compare", gradient: "zero", kernels: INTEGERS } as const;

/** `f` on numbers of up to 53 bits, by halves of 32. */
function byHalves(f: (a: number, b: number) => number): (a: number, b: number) => number {
  return (a, b) =>
    f(Math.floor(a / 2 ** 32) | 0, Math.floor(b / 2 ** 32) | 0) * 2 ** 32 + (f(a | 0, b | 0) >>> 0);
}

function bits(name: string, onnx: string, doc: string, f: (a: number, b: number) => number): Binary {
  const plain = binary(name, onnx, { ...kernels, doc, f: byHalves(f) });
  return operator(plain.row, (a: Operand, b: Operand) => {
    const operands = meet(name, a, b);
    expectBits(name, operands[0]!.dtype);
    return plain(operands[0]!, operands[1]!);
  });
}

function expectBits(who: string, dtype: DType): void {
  if (isFloat(dtype) || dtype === "bool")
    throw new GraphError(
      `${who}: the operands are ${dtype}; only int32, int64 and uint8 have bits to speak of${dtype === "bool" ? ", bool has logicalAnd(), logicalOr() and logicalXor()" : ""}`,
    );
}

export const bitwiseAnd: Binary = bits(
  "bitwiseAnd",
  "BitwiseAnd",
  "The bits that both have.",
  (a, b) => a & b,
);
export const bitwiseOr: Binary = bits("bitwiseOr", "BitwiseOr", "The bits that either has.", (a, b) => a | b);
export const bitwiseXor: Binary = bits(
  "bitwiseXor",
  "BitwiseXor",
  "The bits that one has and the other not.",
  (a, b) => a ^ b,
);

const not = unary("bitwiseNot", "BitwiseNot", { ...kernels, doc: "Every bit turned.", f: (x) => -x - 1 });
export const bitwiseNot: Unary = operator(not.row, (operand: Operand) => {
  const x = toExpression("bitwiseNot", operand);
  expectBits("bitwiseNot", x.dtype);
  return not(x);
});
