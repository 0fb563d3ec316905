// Statistics against values of NumPy and SciPy, and over symbolic lengths.
import { describe, expect, it } from "vitest";
import { toTensor } from "../tensor/index.js";
import { evaluate, input, tensor, type Expression } from "./index.js";

const numbers = (x: Expression): number[] => [...evaluate([x])[0]!.data];
const near = (x: Expression, wanted: readonly number[]): void => {
  const actual = numbers(x);
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 12));
};

const data = tensor([
  [2, 4, 4, 4],
  [5, 5, 7, 9],
]);

describe("statistics", () => {
  it("agree with NumPy and SciPy", () => {
    near(data.variance(), [4]);
    near(data.std(), [2]);
    near(data.std(1, { ddof: 1 }), [1, 1.914854215512676]);
    near(data.median(), [4.5]);
    near(data.median(1), [4, 6]);
    near(data.percentile([25, 90]), [4, 7.6]);
    near(data.percentile(40, 0), [3.2, 4.4, 5.2, 6]);
    near(data.average(1, { weights: [1, 2, 3, 4] }), [3.8, 7.2]);
    near(data.mode(), [4]);
    near(data.mode(1), [4, 5]);
    near(data.mode(0), [2, 4, 4, 4]);
    near(data.zScore(), [-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2]);
    near(tensor([1, 2, 3, 4, 5]).pearson([5, 6, 7, 8, 7]), [0.8320502943378437]);
    near(
      tensor([
        [0, 1, 2],
        [2, 1, 0],
      ]).covariance(),
      [1, -1, -1, 1],
    );
    near(tensor([0, 1, 1, 3, 2, 1, 7]).cast("int64").bincount(8), [1, 3, 1, 1, 0, 0, 0, 1]);
    near(tensor([1, 3, 5]).minMaxScale(), [0, 0.5, 1]);
  });

  it("work over a length that is a symbol", () => {
    const x = input("x", "float32", ["n"]);
    const feeds = { x: toTensor([5, 1, 4, 1]) };
    const at = (y: Expression): number => evaluate([y], feeds)[0]!.data[0]!;
    expect(at(x.median())).toBe(2.5);
    expect(at(x.mode())).toBe(1);
    expect(at(x.variance(0, { ddof: 1 }))).toBeCloseTo(4.25, 12);
  });

  it("say what does not fit", () => {
    expect(() => data.percentile(101)).toThrow("percentile: 101 is asked for; it lies from 0 to 100");
    expect(() => data.average([0, 1], { weights: [1, 2] })).toThrow(
      "average: weights float32 [2] do not fit float32 [2,4]; give the same shape, or a vector and one axis",
    );
    expect(() => tensor([0.5]).bincount(3)).toThrow(
      "bincount: the operand is float32 [1]; it must be int32 or int64 or uint8",
    );
  });
});
