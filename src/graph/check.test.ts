// What may run and what may not: a corpus of hostile models, each refused with its reason; honest ones, from this catalogue and by hand.
import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { cases, type Case } from "./cases/index.js";
import { sample, type Sample } from "./cases/sample.js";
import { check } from "./check.js";
import { message, model, node, port, weights } from "./check/corpus/build.js";
import { hostile } from "./check/corpus/hostile.js";
import { GraphError } from "./error.js";
import { gradients } from "./gradient.js";
import { input, tensor } from "./leaf.js";
import { program } from "./program.js";

function refusal(bytes: Uint8Array): GraphError {
  try {
    check(bytes);
  } catch (error) {
    if (error instanceof GraphError) return error;
    throw error;
  }
  throw new Error("it was let in");
}

describe("hostile models", () => {
  it("are a hundred and more, all different", () => {
    expect(hostile.length).toBeGreaterThanOrEqual(100);
    expect(new Set(hostile.map(([name]) => name)).size).toBe(hostile.length);
  });

  it.each(hostile)("%s", (_, bytes, says) => {
    const start = process.cpuUsage();
    const error = refusal(bytes());
    expect(error.message).toMatch(says);
    expect(error.code).not.toBe("bad_argument");
    // Refusing is cheap: no model of a few bytes holds up whoever looks at it.
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
  });
});

const small = message({
  inputs: [port("x", "float32", ["batch", 3])],
  outputs: [port("y", "float32", ["batch", 2])],
  nodes: [node("MatMul", ["x", "w"], ["a"]), node("Relu", ["a"], ["y"])],
  initializers: [weights("w", "float32", [3, 2], [1, 2, 3, 4, 5, 6])],
});

/** In the first dtype that the row takes. */
function firstThatBuilds(each: Case): Sample {
  for (const dtype of ["float32", "int32", "bool"] as const)
    try {
      return sample(each, dtype);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
    }
  throw new Error("no dtype fits");
}

describe("honest models", () => {
  it("run, and are counted", () => {
    const checked = check(toBinary(ModelProtoSchema, small));
    expect(checked.cost({ batch: 10 })).toEqual({
      flops: 2 * 10 * 3 * 2 + 20,
      memory: (10 * 3 + 6 + 10 * 2 + 10 * 2) * 4,
    });
  });

  it("from gradients run, too", () => {
    const x = input("x", "float32", ["batch", 4]);
    const w = tensor(Float32Array.from({ length: 4 }), { shape: [4, 1], name: "w" });
    const loss = x.matmul(w).tanh().mean();
    const step = program({ inputs: { x, w }, outputs: { loss, grad: gradients(loss, [w])[0]! } });
    expect(check(step.model).cost({ d0: 8 }).flops).toBe(step.cost({ batch: 8 }).flops);
    expect(Object.keys(check(step.toOnnx()).outputs)).toEqual(["loss", "grad"]);
  });

  it("are those that this catalogue makes", () => {
    for (const [name, [first]] of Object.entries(cases)) {
      const { outputs } = firstThatBuilds(first!);
      const { model: bytes } = program({ outputs: Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])) });
      expect(() => check(bytes), name).not.toThrow();
    }
  });

  it("run on inputs that fit, and only on those", () => {
    const checked = check(toBinary(ModelProtoSchema, small), { memory: 1000 });
    const given = (n: number): { dtype: "float32"; shape: number[] } => ({ dtype: "float32", shape: [n, 3] });
    checked.accept({ x: given(10) });
    expect(() => checked.accept({ x: given(100) })).toThrow(/batch = 100; the limit "memory" is 1000/);
    expect(() => checked.accept({ x: { dtype: "float32", shape: [2, 4] } })).toThrow(
      /"x" wants float32 \[batch,3\]/,
    );
    expect(() => checked.accept({ x: { dtype: "int32", shape: [2, 3] } })).toThrow(/"x" wants/);
    expect(() => checked.accept({})).toThrow(/not given/);
    expect(() => checked.accept({ x: given(1), z: given(1) })).toThrow(/no input "z"/);
  });

  it("may be too large, each limit by its name", () => {
    const bytes = toBinary(ModelProtoSchema, small);
    expect(() => check(bytes, { modelBytes: 10 })).toThrow(/"modelBytes" is 10/);
    expect(() => check(bytes, { operators: 1 })).toThrow(/more than 1 operators/);
    expect(() => check(bytes, { flops: 1 })).toThrow(/"flops" is 1/);
    expect(() => check(bytes, { rank: 1 })).toThrow(/"rank" is 1/);
    expect(() => check(bytes, { ports: 1 })).toThrow(/"ports" is 1/);
  });

  it("may have loops of constant length, and branches that are chosen", () => {
    const body = message({
      inputs: [port("i", "int64", []), port("go", "bool", []), port("a", "float32", [2])],
      outputs: [port("go", "bool", []), { name: "b" }, { name: "c" }],
      nodes: [node("Add", ["a", "a"], ["b"]), node("Identity", ["b"], ["c"])],
    }).graph!;
    const checked = check(
      model({
        inputs: [port("x", "float32", [2])],
        outputs: [port("y", "float32", [2]), port("all", "float32", [3, 2])],
        nodes: [node("Loop", ["n", "", "x"], ["y", "all"], { body })],
        initializers: [weights("n", "int64", [], [3])],
      }),
    );
    expect(checked.cost().flops).toBe(6);
  });
});

describe("models with a byte changed", () => {
  it("are refused with a reason or read, never worse", () => {
    const bytes = toBinary(ModelProtoSchema, small);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const broken = cut ? bytes.slice(0, at) : bytes.slice();
        if (!cut) broken[at] = value;
        try {
          check(broken);
        } catch (error) {
          if (!(error instanceof GraphError)) throw error;
          if (error.code === "bad_argument") throw error;
        }
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 1000) },
    );
  });
});
