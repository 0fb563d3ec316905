// What is exported is read again: every case of every row, symbols, training steps; and models as other tools write them.
import { beforeAll, describe, expect, it } from "vitest";
import { DTYPES, Tensor, toNumbers, toTensor, type DType } from "../../tensor/index.js";
import { catalogue } from "../catalogue/index.js";
import { cases } from "../cases/index.js";
import { model, node, port, weights } from "../check/corpus/build.js";
import { sample, type Sample } from "../cases/sample.js";
import { GraphError } from "../error.js";
import { gradients } from "../gradient.js";
import { evaluate } from "../interpreter.js";
import { loadHostKernels } from "../host-kernels.js";
import { input, tensor } from "../leaf.js";
import { program, type Program } from "../program.js";
import { load } from "./load.js";

function build(make: () => Sample): Sample | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof GraphError) return undefined;
    throw error;
  }
}

function programOf({ inputs, outputs }: Sample): Program {
  return program({
    inputs: Object.fromEntries(inputs.map((x) => [x.name!, x])),
    outputs: Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])),
  });
}

beforeAll(loadHostKernels);

describe("every row, exported and loaded", () => {
  it.each(catalogue.map(({ row }) => row.name))("%s", (name) => {
    for (const each of cases[name] ?? [])
      for (const dtype of each.inputs.some((spec) => spec.startsWith("T"))
        ? (Object.keys(DTYPES) as DType[])
        : (["float32"] as const)) {
        const made = build(() => sample(each, dtype));
        const p = made && programOf(made);
        if (!p) continue;
        const model = load(p.toOnnx());
        expect(model.unknown).toEqual([]);
        const again = model.call(
          Object.fromEntries(
            made.inputs.filter((x) => model.inputNames.includes(x.name!)).map((x) => [x.name!, x]),
          ),
        );
        const loaded = made.outputs.map((_, i) => again[`y${i}`]!);
        const [before, after] = [made.outputs, loaded].map((xs) => evaluate(xs, made.feeds));
        made.outputs.forEach((y, i) => {
          const what = `${name} in ${dtype} of ${each.inputs.join(" and ")}`;
          expect(String(loaded[i]!.dtype), what).toBe(y.dtype);
          if (y.shape.every((dim) => typeof dim === "number"))
            expect(loaded[i]!.shape, what).toEqual(y.shape);
          expect(after![i]!.shape, what).toEqual(before![i]!.shape);
          after![i]!.data.forEach((value, k) => {
            const wanted = before![i]!.data[k]!;
            if (
              !Object.is(value, wanted) &&
              !(Math.abs(value - wanted) <= (dtype === "float16" ? 4e-3 : 1e-6) * (1 + Math.abs(wanted)))
            )
              expect.fail(`${what}: element ${k} is ${value}, was ${wanted}`);
          });
        });
      }
  });
});

describe("a training step, exported and loaded", () => {
  const x = input("x", "float32", ["batch", 3]);
  const y = input("y", "int64", ["batch"]);
  const w = tensor(
    toTensor(
      Float32Array.from({ length: 15 }, (_, i) => Math.sin(i)),
      { shape: [3, 5] },
    ),
    { name: "w" },
  );
  const loss = x.matmul(w).tanh().softmaxCrossEntropy(y).mean();
  const step = program({ inputs: { x, y, w }, outputs: { loss, gradient: gradients(loss, [w])[0]! } });
  const feeds = {
    x: toTensor(
      Float32Array.from({ length: 6 }, (_, i) => i / 3),
      { shape: [2, 3] },
    ),
    y: new Tensor("int64", [2], BigInt64Array.of(1n, 4n)),
  };

  it("keeps its symbols, its parameters and its values", () => {
    const model = load(step.toOnnx());
    expect(String(model.inputs.x)).toBe("x float32 [d0,3]");
    expect(Object.keys(model.parameters)).toContain("w");
    const [before, after] = [
      [loss, gradients(loss, [w])[0]!],
      [model.outputs.loss!, model.outputs.gradient!],
    ].map((xs) => evaluate(xs, feeds));
    expect(Array.from(after![0]!.data)).toEqual(Array.from(before![0]!.data));
    expect(Array.from(after![1]!.data)).toEqual(Array.from(before![1]!.data));
  });

  it("differentiates by what is inside it", () => {
    const model = load(step.toOnnx());
    const [grad] = gradients(model.outputs.loss!, [model.parameters.w!]);
    expect(toNumbers(evaluate([grad!], feeds)[0]!.toTensor())).toEqual(
      toNumbers(evaluate([gradients(loss, [w])[0]!], feeds)[0]!.toTensor()),
    );
  });

  it("exports to the same canonical program", () => {
    const model = load(step.model);
    expect(program({ inputs: model.inputs, outputs: model.outputs }).hash).toBe(step.hash);
  });
});

describe("a loaded model", () => {
  const named = (dims: readonly (number | string | null)[]): Uint8Array =>
    model({
      inputs: [port("x", "float32", dims)],
      outputs: [port("y", "float32")],
      nodes: [node("MatMul", ["x", "w"], ["a"], {}, { name: "dense" }), node("Relu", ["a"], ["y"])],
      initializers: [weights("w", "float32", [3, 2], [1, -2, 3, 4, 5, 6])],
    });

  it("is a function of other expressions, too", () => {
    const m = load(named(["batch", 3]));
    const z = input("z", "float32", [4, 3]);
    expect(String(m.call({ x: z.mul(2) }).y)).toBe("relu float32 [4,2]");
    expect(() => m.call({})).toThrow('the model\'s input "x" is not given; it wants float32 [batch,3]');
    expect(() => m.call({ x: z, q: z })).toThrow('the model has no input "q"; it has x');
    expect(() => m.call({ x: input("z", "float32", [3, 4]) })).toThrow(
      '"x" wants float32 [batch,3], got float32 [3,4]',
    );
  });

  it("makes symbols of what other tools call lengths", () => {
    expect(load(named(["batch size", 3])).inputs.x!.shape).toEqual(["batch_size", 3]);
    expect(load(named([null, 3])).inputs.x!.shape).toEqual(["x_0", 3]);
    expect(load(named(["constructor", 3])).inputs.x!.shape).toEqual(["constructor_2", 3]);
    expect(load(named(["batch", 3]), { lengths: { batch: 7 } }).outputs.y!.shape).toEqual([7, 2]);
  });

  it("says where it does not fit", () => {
    expect(() => load(named(["batch", 4])).outputs).toThrow(
      /^MatMul "dense" \(which makes "a"\): matmul: float32 \[batch,4\] and float32 \[3,2\] do not fit/,
    );
  });

  it("with operators that are not known runs whole, and says so", () => {
    const m = load(
      model({
        inputs: [port("x", "float32", [2])],
        outputs: [port("y", "float32", [2])],
        nodes: [node("Shrink", ["x"], ["a"], { lambd: 0.5 }), node("Relu", ["a"], ["y"])],
      }),
    );
    expect(m.unknown).toEqual(["Shrink"]);
    expect([m.inputNames, m.outputNames]).toEqual([["x"], ["y"]]);
    expect(() => m.outputs).toThrow(
      "the catalogue does not have Shrink: the model runs whole on an engine (model.bytes), and does not differentiate or split",
    );
  });
});
