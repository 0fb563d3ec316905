// Indexing, slices and borders against NumPy's values, and what is said where they do not fit.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate, input, program, tensor, type Expression } from "../index.js";
import type { Subscript } from "./subscript.js";

const counting = (...shape: number[]): Expression =>
  tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)).reshape(shape);
const value = (x: Expression): [readonly number[], number[]] => {
  const { shape, data } = evaluate([x])[0]!;
  return [shape, [...data].map((v) => v + 0)];
};
const a = counting(3, 4);
const b = counting(2, 3, 4);

describe("at", () => {
  it.each<[string, Expression, Subscript[], number[], number[]]>([
    ["a[-1]", a, [-1], [4], [8, 9, 10, 11]],
    ["a[1:,::-2]", a, ["1:", "::-2"], [2, 2], [7, 5, 11, 9]],
    ["a[:,None,[3,0]]", a, [":", "new", [3, 0]], [3, 1, 2], [3, 0, 7, 4, 11, 8]],
    ["b[...,0]", b, ["..., 0"], [2, 3], [0, 4, 8, 12, 16, 20]],
    ["b[1,-1:,1:3]", b, ["1, -1:, 1:3"], [1, 2], [21, 22]],
    ["a[5:]", a, ["5:"], [0, 4], []],
    ["a[-100:2,0]", a, ["-100:2", 0], [2], [0, 4]],
    ["a[3:1:-1,0]", a, ["3:1:-1", 0], [1], [8]],
    [
      "b[0,[[1,2],[0,0]],3]",
      b,
      [
        0,
        tensor(
          [
            [1, 2],
            [0, 0],
          ],
          { dtype: "int64" },
        ),
        3,
      ],
      [2, 2],
      [7, 11, 3, 3],
    ],
    ["b[:,[2,0],0]", b, [":", [2, 0], 0], [2, 2], [8, 0, 20, 12]],
  ])("reads %s", (_, x, subscripts, shape, data) => {
    expect(value(x.at(...subscripts))).toEqual([shape, data]);
  });

  it("slices as Python does, whatever start, stop and step", () => {
    const place = fc.option(fc.integer({ min: -9, max: 9 }));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        place,
        place,
        fc.integer({ min: -4, max: 4 }).filter((step) => step !== 0),
        (length, start, stop, step) => {
          expect(value(counting(length).slice([start], [stop], [0], [step]))[1]).toEqual(
            python(length, start, stop, step),
          );
        },
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 300) },
    );
  });

  it("takes open lengths", () => {
    const x = input("x", "float32", ["batch", "time", 8]);
    expect(x.at("...", -1, ":").shape).toEqual(["batch", 8]);
    expect(x.at(":, 1:").shape).toEqual(["batch", "time-1", 8]);
    expect(x.at(":, :-2").shape).toEqual(["batch", "time-2", 8]);
    expect(x.at(":, ::-1").shape).toEqual(["batch", "time", 8]);
    const [y] = evaluate([x.at(0, "1:", 0)], { x: evaluate([counting(2, 3, 8)])[0]! });
    expect([...y!.data]).toEqual([8, 16]);
  });

  it("says what is wrong", () => {
    expect(() => a.at(3)).toThrow("at: index 3 is outside axis 0 of float32 [3,4]");
    expect(() => a.at(0, 0, 0)).toThrow("at: 3 subscripts for float32 [3,4], which has 2 axes");
    expect(() => a.at("...", "...")).toThrow('at: "..." stands 2 times; it can stand once');
    expect(() => a.at("1..2")).toThrow('at: the subscript "1..2" is not understood');
    expect(() => a.at("process.exit()")).toThrow('at: the subscript "process.exit()" is not understood');
    expect(() => a.at([0], [1])).toThrow("at: 2 subscripts are lists");
    expect(() => a.at(tensor([0.5]))).toThrow("at: a subscript is float32 [1]; it must be of integers");
    expect(() => input("x", "float32", ["batch"]).at("::2")).toThrow("is not known before it runs");
    expect(() => evaluate([a.take([4], 1)])).toThrow("take: index 4 is outside an axis of 4");
  });
});

describe("setValue", () => {
  it.each<[string, Subscript | Subscript[], number | number[] | number[][], number[]]>([
    ["a[1:,::2] = [[90],[91]]", ["1:", "::2"], [[90], [91]], [0, 1, 2, 3, 90, 5, 90, 7, 91, 9, 91, 11]],
    ["a[:,[3,0]] = [7,8]", [":", [3, 0]], [7, 8], [8, 1, 2, 7, 8, 5, 6, 7, 8, 9, 10, 7]],
    ["a[1,2] = -1", "1, 2", -1, [0, 1, 2, 3, 4, 5, -1, 7, 8, 9, 10, 11]],
    ["a[...] = 5", "...", 5, new Array<number>(12).fill(5)],
  ])("does %s", (_, subscripts, to, data) => {
    expect(value(a.setValue(subscripts, to))).toEqual([[3, 4], data]);
  });
});

describe("indexing", () => {
  it("is NumPy's", () => {
    const v = counting(3);
    expect(value(v.pad([2], [4], "edge"))[1]).toEqual([0, 0, 0, 1, 2, 2, 2, 2, 2]);
    expect(value(v.pad([2], [4], "reflect"))[1]).toEqual([2, 1, 0, 1, 2, 1, 0, 1, 2]);
    expect(value(v.pad([2], [4], "symmetric"))[1]).toEqual([1, 0, 0, 1, 2, 2, 1, 0, 0]);
    expect(value(v.pad([2], [4], "wrap"))[1]).toEqual([1, 2, 0, 1, 2, 0, 1, 2, 0]);
    expect(
      value(
        a.takeAlongAxis(
          [
            [3, 0],
            [1, 1],
          ],
          1,
        ),
      ),
    ).toEqual([
      [2, 2],
      [3, 0, 5, 5],
    ]);
    expect(
      value(
        a.gatherNd([
          [0, 1],
          [2, -1],
        ]),
      ),
    ).toEqual([[2], [1, 11]]);
    expect(value(v.scatterNd([[0], [0]], [5, 6], "add"))[1]).toEqual([11, 1, 2]);
    expect(value(v.scatter([2, 0], [5, 6]))[1]).toEqual([6, 1, 5]);
    expect(value(tensor([4, 7, 4]).findIndex([7, 4, 1]))).toEqual([[3], [1, 0, -1]]);
    const twos = tensor([
      [1, 2],
      [2, 0],
    ]).findIndices(2);
    expect(value(twos)).toEqual([
      [2, 2],
      [0, 1, 1, 0],
    ]);
  });

  it("tells borders of one infinity from those of the other", () => {
    const [x, n] = [input("x", "float32", [2]), [1]];
    const outputs = { a: x.pad(n, n, Infinity), b: x.pad(n, n, -Infinity) };
    expect(program({ outputs }).graph.nodes.filter(({ row }) => row.name === "pad")).toHaveLength(2);
  });

  it("runs foreach over functions of slices", () => {
    expect(value(a.foreach((row) => row.at("1:3")))).toEqual([
      [3, 2],
      [1, 2, 5, 6, 9, 10],
    ]);
    expect(value(a.foreach((row) => row.mul(row).mul(row).sum()))[1]).toEqual([36, 748, 3572]);
    expect(() => a.foreach((row) => row.at("oops()"))).toThrow("is not understood");
  });
});

function python(length: number, start: number | null, stop: number | null, step: number): number[] {
  const clamp = (at: number, low: number, high: number): number =>
    Math.min(Math.max(at < 0 ? at + length : at, low), high);
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const from = start === null ? (step > 0 ? 0 : length - 1) : clamp(start, low, high);
  const to = stop === null ? (step > 0 ? length : -1) : clamp(stop, low, high);
  const out: number[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) out.push(i);
  return out;
}
