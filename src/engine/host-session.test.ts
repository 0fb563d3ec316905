// Programs with host operators: cut into the fewest models, run on both engines, equal to the interpreter.
import { beforeAll, describe, expect, it } from "vitest";
import {
  evaluate,
  gradients,
  input,
  loadHostKernels,
  named,
  program,
  tensor,
  type Program,
} from "../graph/index.js";
import { toNumbers, toTensor, type Tensor } from "../tensor/index.js";
import { loadProgram } from "./engine.js";
import { segmentsOf } from "./host-segments.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

/** A ridge regression and its gradient: products, two solves, and a symbol that only the data tells. */
function regression(): Program {
  const x = input("x", "float64", ["rows", 3]);
  const y = input("y", "float64", ["rows"]);
  const ridge = tensor(Float64Array.of(0.1), { shape: [], name: "ridge" });
  const identity = tensor(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), { shape: [3, 3] });
  const w = x.transpose().matmul(x).add(identity.mul(ridge)).solve(x.transpose().matmul(y));
  const loss = x.matmul(w).meanSquaredError(y);
  return program({
    inputs: { x, y, ridge },
    outputs: { w, loss, again: w, x, ...named(gradients(loss, [ridge])), one: tensor([1]) },
  });
}

const rows = 6;
const feeds: Record<string, Tensor> = {
  x: toTensor(
    Float64Array.from({ length: rows * 3 }, (_, i) => Math.sin(i * 1.3)),
    { shape: [rows, 3] },
  ),
  y: toTensor(Float64Array.from({ length: rows }, (_, i) => Math.cos(i))),
};

beforeAll(loadHostKernels);

describe.each([
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const)("a program with host operators on %s", (_, start) => {
  it("equals the interpreter, run after run", async () => {
    const p = regression();
    const session = await loadProgram(await start(), p);
    for (const scale of [1, 2]) {
      const given = { ...feeds, y: toTensor(toNumbers(feeds.y!).map((v) => v * scale)) };
      const results = await session.run(given);
      const expected = evaluate(p.graph.outputs, p.feeds(given));
      expect(Object.keys(results)).toEqual(["w", "loss", "again", "x", "ridge", "one"]);
      p.outputs.forEach(({ name }, i) => {
        expect(results[name]!.shape).toEqual(expected[i]!.shape);
        toNumbers(results[name]!).forEach((value, k) => {
          expect(value, name).toBeCloseTo(expected[i]!.data[k]!, 10);
        });
      });
    }
    await session.release();
  });

  it("says which matrix it could not take", async () => {
    const session = await loadProgram(
      await start(),
      program({ outputs: { y: input("a", "float32", [2, 2]).inv() } }),
    );
    await expect(
      session.run({
        a: toTensor([
          [1, 2],
          [2, 4],
        ]),
      }),
    ).rejects.toThrow("inv: a matrix of 2 x 2 is singular");
    await session.release();
  });
});

describe("segments", () => {
  it("are as few as host operators in a row allow", () => {
    const x = input("x", "float32", [3, 3]);
    const kinds = (p: Program): string[] => segmentsOf(p).steps.map(({ kind }) => kind);
    // Two inverses side by side are one step; one of a product of them is another.
    const [a, b] = [x.add(1).inv(), x.add(2).inv()];
    expect(kinds(program({ outputs: { y: a.add(b), z: x.mul(2) } }))).toEqual(["model", "host", "model"]);
    expect(kinds(program({ outputs: { y: a.matmul(b).inv() } }))).toEqual(["model", "host", "model", "host"]);
    expect(kinds(program({ outputs: { y: x.inv().det() } }))).toEqual(["host", "host"]);
  });

  it("are in the hash: another version or operator is another program", () => {
    const x = input("x", "float32", [3, 3]);
    expect(program({ outputs: { y: x.inv() } }).hash).toBe(program({ outputs: { y: x.inv() } }).hash);
    expect(program({ outputs: { y: x.inv() } }).hash).not.toBe(
      program({ outputs: { y: x.cholesky() } }).hash,
    );
    expect(program({ outputs: { y: x.pinv(1e-3) } }).hash).not.toBe(
      program({ outputs: { y: x.pinv() } }).hash,
    );
  });
});
