// What the cases of rows cannot show of elementwise rows: dtypes of results, limits, gradients at odd points, and the errors that users see.
import { describe, expect, it } from "vitest";
import { evaluate, gradients, input, tensor, type Expression } from "./index.js";

const numbers = (x: Expression): number[] => [...evaluate([x])[0]!.data];
const slope = (value: number, f: (x: Expression) => Expression): number => {
  const x = tensor(value, { dtype: "float64" });
  return numbers(gradients(f(x), [x])[0]!)[0]!;
};

describe("elementwise rows", () => {
  it("divides as Python does", () => {
    const a = tensor([7, -7, 7, -7]);
    const b = tensor([3, 3, -3, -3]);
    for (const [x, y] of [
      [a, b],
      [a.cast("int32"), b.cast("int32")],
    ] as const) {
      expect(numbers(x.floorDivide(y))).toEqual([2, -3, -3, 2]);
      expect(numbers(x.mod(y))).toEqual([1, 2, -2, -1]);
      expect(numbers(x.fmod(y))).toEqual([1, -1, 1, -1]);
      expect(x.floorDivide(y).dtype).toBe(x.dtype);
    }
    expect(numbers(tensor(1, { dtype: "float64" }).floorDivide(0.1))).toEqual([9]);
  });

  it("rounds halves to even", () => {
    expect(numbers(tensor([0.5, 1.5, 2.5, -0.5, -1.5, 2.4]).round().add(0))).toEqual([0, 2, 2, 0, -2, 2]);
  });

  it("clips within what the dtype can hold, and keeps integers where the limits are whole", () => {
    const bytes = tensor(new Uint8Array([0, 5, 250]));
    expect(bytes.clip(-1, 7).dtype).toBe("uint8");
    expect(numbers(bytes.clip(-1, 7))).toEqual([0, 5, 7]);
    expect(bytes.clip(0.5, 7).dtype).toBe("float32");
    expect(() => bytes.clip(3, 1)).toThrow("clip: the limits are 3 and 1; the lower comes first");
  });

  it.each([
    // Of math.erf in Python, whose digits are those of C.
    [
      "erf",
      [0.1, 0.6, -0.9, 1, 2.5, 4],
      [
        0.1124629160182849, 0.6038560908479259, -0.7969082124228322, 0.8427007929497149, 0.999593047982555,
        0.9999999845827421,
      ],
    ],
    ...(
      [
        ["tan", [-1.5, -0.3, 1, 3]],
        ["asin", [-1, -0.7, 1e-9, 0.99999, 1]],
        ["acos", [-1, -0.7, 1e-9, 0.99999, 1]],
        ["atan", [-1e9, -0.7, 1e-9, 2, 1e200]],
        ["sinh", [-20, -0.7, 1e-9, 2]],
        ["cosh", [-20, -0.7, 1e-9, 2]],
        ["asinh", [-1e200, -0.7, 1e-9, 2]],
        ["acosh", [1, 1.0000001, 2, 1e200]],
        ["atanh", [-0.99999, -0.4, 1e-9, 0.7]],
        ["expm1", [-40, -0.5, 1e-9, 0.49, 3]],
        ["log1p", [-0.9999, -0.5, 1e-9, 0.49, 3]],
        ["cbrt", [-27, -1e-9, 5]],
      ] as const
    ).map(([name, at]) => [name, at, at.map(Math[name])] as const),
  ] as const)("%s is right to the last digits in float64", (name, at, wanted) => {
    numbers(tensor(Float64Array.from(at))[name]()).forEach((value, i) => {
      expect(Math.abs(value - wanted[i]!), `${name}(${at[i]}) is ${value}`).toBeLessThanOrEqual(
        2e-15 * Math.abs(wanted[i]!),
      );
    });
  });

  it("has gradients at 0 where functions are odd or flat there", () => {
    for (const f of [
      (x: Expression) => x.asinh(),
      (x: Expression) => x.atanh(),
      (x: Expression) => x.sinh(),
      (x: Expression) => x.expm1(),
      (x: Expression) => x.log1p(),
      (x: Expression) => x.atan(),
      (x: Expression) => x.asin(),
    ])
      expect(slope(0, f)).toBeCloseTo(1, 14);
    expect(slope(1e-12, (x) => x.log1p())).toBeCloseTo(1, 10);
    expect(slope(1e-12, (x) => x.expm1())).toBeCloseTo(1, 10);
  });

  it("says which dtypes an operator is for", () => {
    const x = input("x", "float32", [3]);
    expect(() => x.bitwiseAnd(1)).toThrow(
      "bitwiseAnd: the operands are float32; only int32, int64 and uint8 have bits to speak of",
    );
    expect(() => x.quotient(2)).toThrow(
      "quotient: the operands are float32; it divides integers, floats have div()",
    );
  });

  it("xor has its truth table, and comparisons with NaN are false but for notEqual", () => {
    const [a, b] = [tensor([false, false, true, true]), tensor([false, true, false, true])];
    expect(numbers(a.logicalXor(b))).toEqual([0, 1, 1, 0]);
    const nan = tensor(NaN);
    for (const y of [nan.equal(nan), nan.less(1), nan.greaterEqual(1), nan.isFinite()])
      expect(numbers(y)).toEqual([0]);
    expect(numbers(nan.notEqual(nan))).toEqual([1]);
  });
});
