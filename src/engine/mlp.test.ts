// The vertical path: a training step from gradients(), run by both engines, judged by the interpreter.
import { beforeAll, describe, expect, it } from "vitest";
import {
  evaluate,
  gradients,
  input,
  named,
  Nd,
  program,
  tensor,
  zeros,
  type Program,
} from "../graph/index.js";
import { toTensor, toNumbers, type Tensor } from "../tensor/index.js";
import { loadProgram, type Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

const [features, hidden, classes, batch] = [12, 9, 5, 7];

function wave(shape: readonly number[], seed: number): Tensor<"float32"> {
  const size = shape.reduce((a, b) => a * b, 1);
  return toTensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed)),
    { dtype: "float32", shape },
  );
}

function step(): Program {
  const x = input("x", "float32", ["batch", features]);
  const y = input("y", "int64", ["batch"]);
  const w1 = tensor(wave([features, hidden], 1), { name: "w1" });
  const b1 = zeros([hidden], { name: "b1" });
  const w2 = tensor(wave([hidden, classes], 2), { name: "w2" });
  const b2 = zeros([classes], { name: "b2" });
  const parameters = [w1, b1, w2, b2];
  const loss = x.matmul(w1).add(b1).relu().matmul(w2).add(b2).softmaxCrossEntropy(y).mean();
  const grads = gradients(loss, parameters);
  const next = Object.fromEntries(parameters.map((p, i) => [`next_${p.name}`, p.sub(grads[i]!.mul(0.1))]));
  return program({ inputs: { x, y, w1, b1, w2, b2 }, outputs: { loss, ...named(grads), ...next } });
}

const feeds = {
  x: wave([batch, features], 3),
  y: toTensor(
    Float64Array.from({ length: batch }, (_, i) => i % classes),
    { dtype: "int64" },
  ),
};

function judge(p: Program): Map<string, Float64Array> {
  const slots = p.feeds(feeds);
  const values = evaluate(p.graph.outputs, slots);
  return new Map(p.outputs.map(({ name }, i) => [name, values[i]!.data]));
}

describe.each([
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const)("a training step on %s", (_, start) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });

  it("equals the interpreter", async () => {
    const p = step();
    const session = await loadProgram(engine, p);
    const results = await session.run(feeds);
    for (const [name, expected] of judge(p)) {
      const actual = toNumbers(results[name]!);
      expect(actual.length).toBe(expected.length);
      actual.forEach((value, i) => {
        expect(Math.abs(value - expected[i]!), `${name}[${i}]`).toBeLessThan(1e-5);
      });
    }
    await session.release();
  });
});

describe("the program of a training step", () => {
  it("has the same hash whenever it is built, and another for another structure", () => {
    expect(step().hash).toBe(step().hash);
    const x = input("x", "float32", [3]);
    expect(program({ outputs: { y: x.add(1) } }).hash).toBe(
      program({ outputs: { other: input("z", "float32", [3]).add(1) } }).hash,
    );
    expect(program({ outputs: { y: x.add(1) } }).hash).not.toBe(program({ outputs: { y: x.add(2) } }).hash);
  });

  it("is counted in FLOPs", () => {
    expect(step().cost({ batch }).flops).toBeGreaterThan(6 * batch * hidden * classes);
  });

  it("agrees with finite differences", () => {
    const p = step();
    const slots = p.feeds(feeds);
    const at = (name: string): number => p.outputs.findIndex((port) => port.name === name);
    const grads = evaluate(p.graph.outputs, slots);
    for (const name of ["w1", "b1", "w2", "b2"]) {
      const slot = p.inputs.find((port) => port.name === name)!.slot;
      const values = toNumbers(slots[slot]!);
      for (const i of [0, values.length - 1]) {
        const [up, down] = [1e-3, -1e-3].map((h) => {
          const moved = toTensor(
            values.map((v, j) => (j === i ? Math.fround(v) + h : v)),
            { dtype: "float64", shape: slots[slot]!.shape },
          );
          // The interpreter computes in float64 whatever the dtype says; it must only be told the declared one.
          return evaluate([p.graph.outputs[at("loss")]!], {
            ...slots,
            [slot]: new Nd("float32", moved.shape, moved.data as Float64Array),
          })[0]!.data[0]!;
        }) as [number, number];
        expect((up - down) / 2e-3).toBeCloseTo(grads[at(name)]!.data[i]!, 5);
      }
    }
  });
});
