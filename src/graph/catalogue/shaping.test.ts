// Shaping against NumPy's values, and what is said where shapes do not fit.
import { describe, expect, it } from "vitest";
import { eye, evaluate, hstack, input, stack, tensor, tri, vstack, type Expression } from "../index.js";

const counting = (...shape: number[]): Expression =>
  tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)).reshape(shape);
const value = (x: Expression): [readonly number[], number[]] => {
  const { shape, data } = evaluate([x])[0]!;
  return [shape, [...data]];
};
const a = counting(3, 4);
const b = counting(2, 3, 4);

describe("shaping", () => {
  it("is NumPy's", () => {
    expect(value(a.roll(5))[1]).toEqual([7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6]);
    expect(value(a.roll([1, -1], [0, 1]))[1]).toEqual([9, 10, 11, 8, 1, 2, 3, 0, 5, 6, 7, 4]);
    expect(value(tensor([[1, 2]]).tile([2, 2]))).toEqual([
      [2, 4],
      [1, 2, 1, 2, 1, 2, 1, 2],
    ]);
    expect(value(a.at(":2, :2").repeat([1, 2], 0))).toEqual([
      [3, 2],
      [0, 1, 4, 5, 4, 5],
    ]);
    expect(value(tensor([1, 2]).repeat(2))[1]).toEqual([1, 1, 2, 2]);
    expect(value(tri(3, { columns: 4, offset: 1 }))[1]).toEqual([1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1]);
    expect(value(eye(2, { offset: 1 }))[1]).toEqual([0, 1, 0, 0]);
    expect(value(b.diagonal({ offset: 1, axes: [0, 2] }))).toEqual([
      [3, 2],
      [1, 14, 5, 18, 9, 22],
    ]);
    expect(value(tensor([1, 2]).diag(-1))).toEqual([
      [3, 3],
      [0, 0, 0, 1, 0, 0, 0, 2, 0],
    ]);
    expect(value(a.triu(1))[1]).toEqual([0, 1, 2, 3, 0, 0, 6, 7, 0, 0, 0, 11]);
    expect(value(a.tril(-1))[1]).toEqual([0, 0, 0, 0, 4, 0, 0, 0, 8, 9, 0, 0]);
    expect(value(b.moveaxis(0, -1).at(0))).toEqual([
      [4, 2],
      [0, 12, 1, 13, 2, 14, 3, 15],
    ]);
    expect(value(b.swapaxes(0, 2)).at(0)).toEqual([4, 3, 2]);
    expect(value(vstack([[1, 2], [[3, 4]]]))).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ]);
    expect(value(hstack([[1, 2], [3]]))).toEqual([[3], [1, 2, 3]]);
    expect(
      value(
        stack(
          [
            [1, 2],
            [3, 4],
          ],
          -1,
        ),
      ),
    ).toEqual([
      [2, 2],
      [1, 3, 2, 4],
    ]);
    expect(a.split([1, 3], 1).map((part) => value(part)[1])).toEqual([
      [0, 4, 8],
      [1, 2, 3, 5, 6, 7, 9, 10, 11],
    ]);
    expect(value(a.shapeOf())[1]).toEqual([3, 4]);
    expect(value(a.size())).toEqual([[], [12]]);
  });

  it("takes open lengths", () => {
    const x = input("x", "float32", ["batch", 6]);
    expect(x.tile([2, 1]).shape).toEqual(["batch*2", 6]);
    expect(x.repeat(3, 0).shape).toEqual(["batch*3", 6]);
    expect(x.split(2, 1).map((part) => part.shape)).toEqual([
      ["batch", 3],
      ["batch", 3],
    ]);
    expect(x.roll(1, 0).shape).toEqual(["batch", 6]);
    const feeds = { x: evaluate([counting(2, 6)])[0]! };
    expect([...evaluate([x.roll(1, 0).at(":, 0")], feeds)[0]!.data]).toEqual([6, 0]);
    expect([...evaluate([x.shapeOf()], feeds)[0]!.data]).toEqual([2, 6]);
  });

  it("says what would fit", () => {
    expect(() => a.split(3, 1)).toThrow(
      "split: axis 1 of float32 [3,4] does not divide into 3 equal parts; give their lengths",
    );
    expect(() => a.split([1, 1], 1)).toThrow(
      "split: lengths [1,1] do not add up to 4, which axis 1 of float32 [3,4] has",
    );
    expect(() => a.repeat([1, 2], 0)).toThrow("repeat: 2 counts for axis 0 of float32 [3,4], which has 3");
    expect(() => a.roll([1, 2], [0])).toThrow("roll: 2 shifts for 1 axes");
    expect(() => counting(3).tril()).toThrow("tril: float32 [3] is no matrix");
    expect(() => a.diagonal({ axes: [1, -1] })).toThrow("are one; name two");
  });
});
