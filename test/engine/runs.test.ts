// Programs in engine processes and threads: what comes out, what is asked for and how often, what is refused and why.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { figuresFile } from "../../src/engine/figures-file.node.js";
import { EngineError } from "../../src/engine/index.js";
import { model, node, port } from "../../src/graph/check/corpus/build.js";
import { input, program } from "../../src/graph/index.js";
import { DTYPES, Tensor, toTensor, type DType, type TensorData } from "../../src/tensor/index.js";
import { adds, Counted, ones, open } from "./engines.js";

const dtypes = Object.keys(DTYPES) as DType[];

/** Bytes that are all different numbers, whatever the dtype. */
function patterned(dtype: DType, size: number): Tensor {
  const { array, bytes } = DTYPES[dtype];
  const raw = Uint8Array.from({ length: size * bytes }, (_, i) => (dtype === "bool" ? i % 2 : (i * 7) % 61));
  return new Tensor(dtype, [size], new array(raw.buffer) as TensorData);
}

function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

it.each([[false], [true]])("carries every dtype, small, large and empty (trusted: %s)", async (trusted) => {
  const slots = await open(onTestFinished, { trusted });
  for (const dtype of dtypes) {
    const x = input("x", dtype, ["n"]);
    const source = new Counted(program({ outputs: { y: x.reshape([-1]), z: x.slice([0], [1]) } }));
    for (const size of [1, 3, 0, 100_003]) {
      const given = patterned(dtype, size);
      const { outputs } = await slots.run(source, [given]).settled;
      expect(outputs[0]).toMatchObject({ dtype, shape: [size] });
      expect(bytesOf(outputs[0]!).equals(bytesOf(given))).toBe(true);
      expect(outputs[1]!.shape).toEqual([Math.min(1, size)]);
    }
    expect(source.asked).toBe(1);
  }
});

it("carries tensors of many megabytes, in pieces and in parts of a larger memory", async () => {
  const slots = await open(onTestFinished);
  const memory = Float32Array.from({ length: 6_000_001 }, (_, i) => i % 1000);
  const [a, b] = [memory.subarray(1, 3_000_001), memory.subarray(3_000_001)];
  const [x, y] = [input("x", "float32", ["n"]), input("y", "float32", ["n"])];
  const { outputs } = await slots.run(new Counted(program({ outputs: { s: x.add(y), d: x.sub(y) } })), [
    toTensor(a),
    toTensor(b),
  ]).settled;
  for (const at of [0, 1, 77_777, 2_999_999]) {
    expect(outputs[0]!.data[at]).toBe(a[at]! + b[at]!);
    expect(outputs[1]!.data[at]).toBe(a[at]! - b[at]!);
  }
});

it("takes inputs and gives outputs in the model's own order, with host operators too", async () => {
  const slots = await open(onTestFinished, { slots: 2 });
  const [a, b] = [input("a", "float64", [2, 2]), input("b", "float64", [2])];
  // Nothing needs `a` first: the canonical model names by its own walk.
  const p = program({ inputs: { a, b }, outputs: { solved: a.solve(b), det: a.det(), twice: b.mul(2) } });
  const given: Record<string, Tensor> = {
    a: toTensor(Float64Array.of(2, 0, 0, 4), { shape: [2, 2] }),
    b: toTensor(Float64Array.of(2, 8)),
  };
  const inputs = p.inputs.map(({ name }) => given[name]!);
  const { outputs } = await slots.run(new Counted(p), inputs).settled;
  expect(outputs.map(({ data }) => [...(data as Float64Array)])).toEqual([[1, 2], [8], [4, 16]]);
});

it("says what the engine is", async () => {
  const { facts } = await open(onTestFinished, { threads: 2 });
  expect(facts).toMatchObject({ name: "onnxruntime-node", provider: "cpu", threads: 2, dtypes });
  expect(facts.version).toMatch(/^\d+\.\d+/);
  expect(facts.cpu).toMatch(/^(x64|arm64) \S/);
});

it("runs on WebAssembly where that is asked for", async () => {
  const slots = await open(onTestFinished, { provider: "wasm" });
  expect(slots.facts).toMatchObject({ name: "onnxruntime-web", provider: "wasm" });
  const { outputs } = await slots.run(adds(2), [ones]).settled;
  expect([...(outputs[0]!.data as Float32Array)]).toEqual([3, 3, 3]);
});

it("says when a program wants more memory than there can be", async () => {
  // WebAssembly addresses 4 GiB.
  const slots = await open(onTestFinished, { provider: "wasm", memoryMb: 16_384 });
  const side = 40_000;
  const x = input("column", "float32", [side, 1]).add(input("row", "float32", [1, side]));
  const source = new Counted(program({ outputs: { y: x.max() } }));
  const given = [
    [side, 1],
    [1, side],
  ].map((shape) => new Tensor("float32", shape, new Float32Array(side)));
  expect(await failure(slots.run(source, given).settled)).toMatchObject({
    code: "out_of_memory",
    retry: true,
  });
  expect((await slots.run(adds(2), [ones]).settled).outputs[0]!.data[0]).toBe(3);
});

it("refuses a provider that is not there, and says which are", async () => {
  await expect(open(onTestFinished, { provider: "nix" })).rejects.toThrow(
    /has no provider "nix" here; it has cpu/,
  );
});

async function failure(run: Promise<unknown>): Promise<EngineError> {
  const error = await run.then(
    () => new Error("it ran"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error as EngineError;
}

it("refuses what may not run, for good, and goes on", async () => {
  const slots = await open(onTestFinished, { memoryMb: 64 });
  const refuse = async (source: Counted, inputs: Tensor[], says: RegExp): Promise<void> => {
    // Where there is more memory than here, it may run.
    const tooLarge = says.source.includes("memory");
    for (let i = 0; i < 2; i++)
      expect(await failure(slots.run(source, inputs).settled)).toMatchObject({
        code: tooLarge ? "out_of_memory" : "program_refused",
        message: expect.stringMatching(says) as string,
        retry: tooLarge,
      });
    expect(source.asked).toBe(1);
  };
  const forever = model({
    inputs: [port("x", "float32", [2])],
    outputs: [{ name: "y" }],
    nodes: [node("LaunchMissiles", ["x"], ["y"])],
  });
  await refuse(new Counted({ hash: "0".repeat(64), model: Uint8Array.of(1, 2, 3) }), [], /not an ONNX model/);
  await refuse(new Counted({ hash: "1".repeat(64), model: forever }), [ones], /does not have LaunchMissiles/);
  const large = input("x", "float32", [1, 1]).broadcastTo([8192, 8192]);
  await refuse(new Counted(program({ outputs: { y: large.add(1) } })), [ones], /limit "memory"/);
  // Only the lengths of these inputs make it too large.
  const x = input("x", "float32", ["n", 1]);
  const outer = new Counted(program({ outputs: { y: x.matmul(x.transpose()) } }));
  const column = (n: number): Tensor => new Tensor("float32", [n, 1], new Float32Array(n));
  await refuse(outer, [column(10_000)], /limit "memory"/);
  await refuse(outer, [ones], /float32 \[3\]/);
  await refuse(outer, [], /takes 1 input, 0 were given/);
  expect((await slots.run(outer, [column(3)]).settled).outputs[0]!.shape).toEqual([3, 3]);
  expect(outer.asked).toBe(1);
});

it("says which operator the engine could not run", async () => {
  const slots = await open(onTestFinished);
  const pick = model({
    inputs: [port("x", "float32", [3]), port("i", "int64", [1])],
    outputs: [port("y", "float32", [1])],
    nodes: [node("Gather", ["x", "i"], ["y"], {}, { name: "pick_one" })],
  });
  const source = new Counted({ hash: "2".repeat(64), model: pick });
  const at = (i: bigint): Tensor[] => [ones, new Tensor("int64", [1], BigInt64Array.of(i))];
  expect(await failure(slots.run(source, at(7n)).settled)).toMatchObject({
    code: "program_error",
    message: expect.stringMatching(/Gather.*pick_one/s) as string,
    retry: false,
  });
  expect((await slots.run(source, at(2n)).settled).outputs[0]!.data[0]).toBe(1);
  const inverse = new Counted(program({ outputs: { y: input("a", "float32", [2, 2]).inv() } }));
  const zeros = new Tensor("float32", [2, 2], new Float32Array(4));
  expect((await failure(slots.run(inverse, [zeros]).settled)).message).toMatch(/^inv: .*singular/);
});

it("passes on why a model could not be had, and asks again", async () => {
  const slots = await open(onTestFinished);
  const source = adds(1);
  const lost = { hash: source.hash, model: () => Promise.reject(new Error("the hub has it no more")) };
  const before = slots.run(adds(5), [ones]);
  const run = slots.run(lost, [ones]);
  const after = slots.run(adds(6), [ones]);
  await expect(run.settled).rejects.toThrow("the hub has it no more");
  expect((await before.settled).outputs[0]!.data[0]).toBe(6);
  expect((await after.settled).outputs[0]!.data[0]).toBe(7);
  expect((await slots.run(source, [ones]).settled).outputs[0]!.data[0]).toBe(2);
});

it("keeps sessions while there is room for them, the latest used longest", async () => {
  const slots = await open(onTestFinished, { cacheBytes: 2 ** 20 });
  const programs = Array.from({ length: 6 }, (_, i) => new Counted(weighty(i)));
  const run = async (i: number): Promise<void> => {
    const { outputs } = await slots.run(programs[i]!, [ones]).settled;
    expect(outputs[0]!.data[0]).toBe(1 + i);
  };
  for (const i of [0, 1, 2, 0, 3, 0, 4, 0, 5, 0]) await run(i);
  expect(programs[0]!.asked).toBe(1);
  await run(1);
  expect(programs[1]!.asked).toBe(2);
});

/** Adds `i`, in its own operators. */
function weighty(i: number): ReturnType<typeof program> {
  let x = input("x", "float32", [3]);
  for (let k = 0; k < i; k++) x = x.add(1);
  return program({ outputs: { y: x.add(0) } });
}

it("answers thousands that were asked at once, each its own", async () => {
  const slots = await open(onTestFinished, { slots: 2 });
  const source = adds(0.5);
  const runs = Array.from({ length: 3000 }, (_, i) =>
    slots.run(source, [new Tensor("float32", [3], Float32Array.of(i, i, i))]),
  );
  const results = await Promise.all(runs.map(({ settled }) => settled));
  results.forEach(({ outputs }, i) => {
    expect(outputs[0]!.data[2]).toBe(i + 0.5);
  });
  expect(source.asked).toBe(2);
});

it("measures once, and reads the figures at the next visit", async () => {
  const folder = mkdtempSync(join(tmpdir(), "figures-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, "deep", "figures.json");
  const first = await open(onTestFinished, { figures: figuresFile(path) });
  const measured = await first.benchmark();
  for (const figure of Object.values(measured)) expect(figure).toBeGreaterThan(0);
  const second = await open(onTestFinished, { figures: figuresFile(path) });
  expect(await second.benchmark()).toEqual(measured);
  // Another engine has other figures; a damaged file none.
  expect(await figuresFile(path).read("another")).toBeUndefined();
  writeFileSync(path, '{"half');
  expect(await second.benchmark()).not.toEqual(measured);
});

it("is over when it is closed", async () => {
  const slots = await open(onTestFinished);
  await slots.close();
  expect(() => slots.run(adds(1), [ones])).toThrow("has been closed");
});
