// Lengths that only running tells: one symbol each, bounded, and the same symbol for equal operators.
import { describe, expect, it } from "vitest";
import { toTensor } from "../tensor/index.js";
import { dimension } from "./creation.js";
import { freshSymbol } from "./dim.js";
import { apply, type Expression } from "./expression.js";
import { evaluate } from "./interpreter.js";
import { input, tensor } from "./leaf.js";
import { Nd } from "./nd.js";
import { program } from "./program.js";
import { tensorRow } from "./row.js";

/** NonZero of a vector. */
const row = tensorRow<{ length: string }>({
  name: "places",
  family: "index",
  doc: "Where the elements are that are not zero.",
  onnx: "NonZero",
  kernels: ["float32"],
  attributes: { length: "fresh" },
  bounds: ([x], { length }) => ({ [length]: x!.shape[0]! }),
  infer: (_, { length }) => [{ dtype: "int64", shape: [1, length] }],
  flops: ({ inputs: [x] }) => x!.shape[0] as number,
  evaluate: ([x]) => {
    const found = [...x!.data.keys()].filter((i) => x!.data[i] !== 0);
    return [new Nd("int64", [1, found.length], Float64Array.from(found))];
  },
});
const places = (x: Expression): Expression => apply(row, [x], { length: freshSymbol("places") });

describe("a fresh symbol", () => {
  it("is learned from the result, also by what is built beside it", () => {
    const x = input("x", "float32", ["n"]);
    const found = places(x);
    const length = found.shape[1]!;
    const sum = found.sum().cast("float32");
    const [count, filled] = evaluate(
      [dimension(length, "float32").add(sum), tensor(7).broadcastTo([length]).add(sum)],
      { x: toTensor([0, 3, 0, 4, 5]) },
    );
    expect(count!.data).toEqual(Float64Array.of(3 + 8));
    expect(filled!.data).toEqual(Float64Array.of(15, 15, 15));
  });

  it("is one where two operators are equal", () => {
    const x = input("x", "float32", ["n"]);
    const p = program({ outputs: { a: places(x).add(1), b: places(x).mul(2) } });
    expect(p.graph.nodes.filter((node) => node.row === row)).toHaveLength(1);
    const [maker] = p.graph.nodes.filter((node) => node.row === row);
    expect(maker!.types[0]!.shape).toEqual([1, "d1"]);
    expect(p.graph.outputs.map((y) => y.shape)).toEqual([
      [1, "d1"],
      [1, "d1"],
    ]);
  });

  it("costs at most its bound", () => {
    const x = input("x", "float32", ["n"]);
    const p = program({ outputs: { a: places(x).add(1) } });
    expect(p.cost({ n: 100 }).flops).toBe(200);
  });

  it("gives the same program whenever it is built", () => {
    const build = (): string => {
      const found = places(input("x", "float32", ["n"]));
      return program({ outputs: { y: found.add(dimension(found.shape[1]!)) } }).hash;
    };
    expect(build()).toBe(build());
  });
});
