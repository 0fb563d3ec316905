// What the cases of rows cannot show: gradients at zeros and ties, empty operands, and the errors that users see.
import { describe, expect, it } from "vitest";
import { evaluate, gradients, input, tensor, type Expression } from "./index.js";

const numbers = (x: Expression): number[] => [...evaluate([x])[0]!.data];
const slope = (values: readonly number[], f: (x: Expression) => Expression): number[] => {
  const x = tensor(values as number[]);
  return numbers(gradients(f(x), [x])[0]!);
};

describe("reductions", () => {
  it("prod knows the product of the others where some are zero", () => {
    expect(slope([2, 3, 4], (x) => x.prod())).toEqual([12, 8, 6]);
    expect(slope([0, 3, 4], (x) => x.prod())).toEqual([12, 0, 0]);
    expect(slope([0, 0, 4], (x) => x.prod())).toEqual([0, 0, 0]);
  });

  it("l2Norm has a gradient of 0 at 0", () => {
    expect(slope([0, -4], (x) => x.l2Norm())).toEqual([0, -1]);
    expect(slope([0, 0], (x) => x.l2Norm())).toEqual([0, 0]);
  });

  it("counts what is true in int64", () => {
    const x = tensor(Float32Array.from({ length: 300 }, (_, i) => i)).greater(9);
    expect(x.sum().dtype).toBe("int64");
    expect(numbers(x.sum())).toEqual([290]);
    expect(numbers(tensor(new Uint8Array([200, 100])).sum())).toEqual([300]);
  });

  it("gives what an empty sum, product and maximum are", () => {
    const none = tensor([], { shape: [2, 0] });
    expect(numbers(none.sum(1))).toEqual([0, 0]);
    expect(numbers(none.prod(1))).toEqual([1, 1]);
    expect(numbers(none.max(1))).toEqual([-Infinity, -Infinity]);
  });
});

describe("order", () => {
  it("keeps the first of equals first, either way", () => {
    const x = tensor([2, 1, 2, 1]);
    expect(numbers(x.argsort())).toEqual([1, 3, 0, 2]);
    expect(numbers(x.argsort(0, { descending: true }))).toEqual([0, 2, 1, 3]);
    expect(numbers(x.argmax())).toEqual([0]);
    expect(numbers(x.argmin())).toEqual([1]);
  });

  it("sends gradients back to where elements stood", () => {
    expect(slope([5, 1, 3], (x) => x.sort().mul([1, 10, 100]).sum())).toEqual([100, 1, 10]);
    expect(slope([5, 1, 3], (x) => x.topk(2).values.mul([1, 10]).sum())).toEqual([1, 0, 10]);
  });

  it("says what topk cannot give", () => {
    expect(() => input("x", "float32", [3, 5]).topk(6)).toThrow(
      "topk: 6 elements of float32 [3,5] along axis -1; it has 5, ask for a whole number up to that",
    );
  });

  it("finds positions that index", () => {
    const x = tensor([
      [0, 3],
      [4, 0],
    ]);
    expect(numbers(x.nonzero())).toEqual([0, 1, 1, 0]);
    const { values, counts } = tensor([3, 1, 3, 2, 3]).uniqueAll();
    expect([numbers(values), numbers(counts)]).toEqual([
      [1, 2, 3],
      [1, 1, 3],
    ]);
  });
});
