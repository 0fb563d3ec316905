// Derivatives of derivatives, Jacobians, checkpoints and stopped gradients, against formulas.
import { describe, expect, it } from "vitest";
import { checkpoint } from "./checkpoint.js";
import type { Expression } from "./expression.js";
import { gradients } from "./gradient.js";
import { evaluate, type Feeds } from "./interpreter.js";
import { jacobian } from "./jacobian.js";
import { input, tensor } from "./leaf.js";
import { toTensor } from "../tensor/index.js";
import { program } from "./program.js";

const at = (values: readonly number[]): Feeds => ({ x: toTensor([...values], { dtype: "float64" }) });
const x = input("x", "float64", [3]);
const close = (y: Expression, feeds: Feeds, wanted: readonly number[]): void => {
  const [got] = evaluate([y], feeds);
  expect(got!.data.length).toBe(wanted.length);
  wanted.forEach((v, i) => expect(got!.data[i]).toBeCloseTo(v, 9));
};

describe("second derivatives", () => {
  it.each([
    ["x^3", (v: Expression) => v.mul(v).mul(v), (v: number) => 6 * v],
    ["exp(2x)", (v: Expression) => v.mul(2).exp(), (v: number) => 4 * Math.exp(2 * v)],
    ["log x", (v: Expression) => v.log(), (v: number) => -1 / (v * v)],
    ["1/x", (v: Expression) => v.reciprocal(), (v: number) => 2 / v ** 3],
    ["tanh x", (v: Expression) => v.tanh(), (v: number) => -2 * Math.tanh(v) * (1 - Math.tanh(v) ** 2)],
  ])("of %s", (_, f, second) => {
    const values = [0.5, 1, 1.7];
    const [first] = gradients(f(x).sum(), [x]);
    const [again] = gradients(first!.sum(), [x]);
    close(again!, at(values), values.map(second));
  });

  it("of a quadratic form are its matrix and its transpose", () => {
    const a = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 10],
    ];
    const m = tensor(a, { dtype: "float64" });
    const [first] = gradients(x.matmul(m).mul(x).sum(), [x]);
    close(
      jacobian(first!, x),
      at([1, 2, 3]),
      a.flatMap((row, i) => row.map((v, j) => v + a[j]![i]!)),
    );
  });
});

describe("jacobian", () => {
  it("has the shape of the result, then of the operand", () => {
    const m = tensor([[1, 2, 3], [4, 5, 6]], { dtype: "float64" }); // prettier-ignore
    expect(jacobian(m.matmul(x), x).shape).toEqual([2, 3]);
    close(jacobian(m.matmul(x), x), at([9, 9, 9]), [1, 2, 3, 4, 5, 6]);
  });

  it("refuses what is unknown or large", () => {
    expect(() => jacobian(input("b", "float32", ["n"]), x)).toThrow(
      "jacobian: the result is float32 [n]; all its dimensions must be known when the graph is built",
    );
    expect(() => jacobian(input("b", "float32", [2000]), x)).toThrow("it takes 1 to 1000");
  });
});

describe("stopGradient", () => {
  it("is constant to gradients and absent from programs", () => {
    const y = x.mul(x.stopGradient()).sum();
    close(gradients(y, [x])[0]!, at([1, 2, 3]), [1, 2, 3]);
    expect(program({ outputs: { y: x.stopGradient().exp() } }).hash).toBe(
      program({ outputs: { y: x.exp() } }).hash,
    );
  });
});

describe("checkpoint", () => {
  const w = tensor([0.3, -0.2, 0.9], { dtype: "float64", name: "w" });
  const twice = w.mul(2);
  const layer = (v: Expression): Expression => v.mul(twice).tanh().mul(w).exp().tanh();
  const values = [0.4, -1, 2];

  it("changes no gradient, first or second, of arguments and of what is captured", () => {
    const plain = layer(x);
    const marked = checkpoint(layer)(x);
    for (const [i, by] of [x, w].entries()) {
      const [a, b] = [plain, marked].map((y) => gradients(y.sum(), [x, w])[i]!);
      close(b!, at(values), [...evaluate([a!], at(values))[0]!.data]);
      const [c, d] = [a!, b!].map((g) => gradients(g.mul(g).sum(), [by])[0]!);
      close(d!, at(values), [...evaluate([c!], at(values))[0]!.data]);
    }
  });

  it("computes again what lies inside, and only that", () => {
    const count = (f: (v: Expression) => Expression): number =>
      program({ outputs: { g: gradients(f(x).sum(), [x])[0]!, y: f(x).sum() } }).graph.nodes.filter(
        ({ row }) => row.name === "tanh",
      ).length;
    expect(count(layer)).toBe(2);
    expect(count(checkpoint(layer))).toBe(4);
  });

  it("costs nothing where no gradient is asked for", () => {
    expect(program({ outputs: { y: checkpoint(layer)(x) } }).hash).toBe(
      program({ outputs: { y: layer(x) } }).hash,
    );
  });
});
