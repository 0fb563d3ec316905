// The rules of simplification: each by what is left, and all together on random graphs by value.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toTensor } from "../tensor/index.js";
import { concat } from "./catalogue/shaping.js";
import type { Expression } from "./expression.js";
import { evaluate } from "./interpreter.js";
import { input, tensor } from "./leaf.js";
import { program } from "./program.js";
import { printType } from "./shape.js";
import { simplify } from "./simplify.js";
import { inputRow } from "./source.js";

const x = input("x", "float32", [2, 3, 4]);
const n = input("n", "float32", ["batch", 3]);
const isInput = ({ row }: { row: unknown }): boolean => row === inputRow;

/** The operators of a program in order, without sources. */
function left(y: Expression): string[] {
  return program({ outputs: { y } })
    .graph.nodes.filter(({ row }) => row.kind === "tensor")
    .map(({ row }) => row.name);
}

describe("simplify", () => {
  it.each<[string, Expression, string[]]>([
    ["two transposes into one", x.transpose([1, 2, 0]).transpose([1, 0, 2]), ["transpose"]],
    ["a transpose and its reverse into none", x.transpose([1, 2, 0]).transpose([2, 0, 1]).exp(), ["exp"]],
    ["reshapes into the last", x.reshape([6, 4]).reshape([24]).reshape([4, 6]), ["reshape"]],
    ["a reshape there and back into none", n.expandDims(0).squeeze().exp(), ["exp"]],
    ["x * 1, x + 0, x - 0, x / 1", x.mul(1).add(0).sub(0).div(1).exp(), ["exp"]],
    ["1 * x and 0 + x", tensor(0).add(tensor(1).mul(x)).exp(), ["exp"]],
    [
      "no x + 0 that makes x larger",
      tensor([[1], [2]])
        .add(tensor([[0, 0, 0]]))
        .mul(x.sum(2)),
      ["sum", "mul"],
    ],
    [
      "a + -b into a - b, and a - -b into a + b",
      x.add(x.exp().neg()).sub(x.tanh().neg()),
      ["exp", "sub", "tanh", "add"],
    ],
    ["--x", x.neg().neg().exp(), ["exp"]],
    ["broadcasts that the operator would do", n.mul(tensor(2).broadcastTo(n.shape)), ["mul"]],
    [
      "a function of a broadcast into one of fewer elements",
      tensor(Float32Array.from({ length: 20 }, Math.sqrt))
        .exp()
        .broadcastTo([9, 20])
        .neg()
        .add(input("z", "float32", [9, 20])),
      ["exp", "sub"],
    ],
    ["constants", x.mul(tensor([1, 2]).add(3).sum().sqrt()), ["mul"]],
    [
      "casts through a wider dtype",
      input("i", "int32", [3]).cast("float64").cast("float32").exp(),
      ["cast", "exp"],
    ],
    ["no casts through a narrower one", x.cast("int32").cast("float32"), ["cast", "cast"]],
    ["equal operands in either order", concat([x.add(x.exp()), x.exp().add(x)]), ["exp", "add", "concat"]],
  ])("makes %s", (_, y, wanted) => {
    expect(left(y)).toEqual(wanted);
  });

  it("keeps constants that are declared inputs", () => {
    const w = tensor([1, 2], { name: "w" });
    expect(
      program({ inputs: { w }, outputs: { y: w.mul(1).add(3) } }).inputs.map(({ name }) => name),
    ).toEqual(["w"]);
  });

  it("changes no value and no type on random graphs", () => {
    const seed = fc.tuple(fc.nat(), fc.nat(), fc.nat());
    fc.assert(
      fc.property(fc.array(seed, { minLength: 1, maxLength: 25 }), (choices) => {
        const pool: Expression[] = [
          input("a", "float32", [2, 3]),
          input("b", "float32", [3]),
          tensor([0, 0, 0]),
          tensor(1),
          tensor([[2], [3]]),
        ];
        for (const [what, i, j] of choices)
          pool.push(grow(what, pool[i % pool.length]!, pool[j % pool.length]!));
        const feeds = { a: toTensor([[1, -2, 3], [0.5, 0, -1]]), b: toTensor([2, -0.25, 4]) }; // prettier-ignore
        const simple = simplify(pool, isInput);
        expect(simple.map(({ type }) => printType(type))).toEqual(pool.map(({ type }) => printType(type)));
        const [before, after] = [pool, simple].map((ys) => evaluate(ys, feeds));
        before!.forEach((value, k) => {
          value.data.forEach((v, e) => {
            const got = after![k]!.data[e]!;
            // Folding rounds constants to float32, as the engine would.
            if (v !== got)
              expect(got).toSatisfy((g: number) => Math.abs(g - v) <= 1e-5 * Math.max(1, Math.abs(v)));
          });
        });
      }),
      { numRuns: Number(process.env.FLOCKWORK_RUNS ?? 200) },
    );
  });
});

/** One more expression; of shape [2,3], [3], [2,1] or []. */
function grow(what: number, a: Expression, b: Expression): Expression {
  switch (what % 10) {
    case 0:
      return a.add(b).tanh();
    case 1:
      return a.mul(b).tanh();
    case 2:
      return a.sub(b);
    case 3:
      return a.neg();
    case 4:
      return a.transpose().transpose();
    case 5:
      return a.reshape([-1]).reshape(a.shape);
    case 6:
      return a.broadcastTo(a.rank === 2 && a.shape[1] === 1 ? [2, 3] : a.shape).tanh();
    case 7:
      return a.add(0).mul(1);
    case 8:
      return a.rank > 0 ? a.sum(-1, { keepdims: a.rank === 2 }).tanh() : a.exp().tanh();
    default:
      return a.maximum(b.neg());
  }
}
