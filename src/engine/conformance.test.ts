// What every engine promises, tried on each: values of all dtypes, checked feeds, results of one's own, errors that say what is wrong, and an end.
import { beforeAll, describe, expect, it } from "vitest";
import { input, program, tensor, type Expression, type Program } from "../graph/index.js";
import { FlockworkError } from "../ids/index.js";
import { DTYPES, fromNumbers, Tensor, toNumbers, toTensor, type DType } from "../tensor/index.js";
import { loadProgram, type Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

const EVERY = Object.keys(DTYPES) as DType[];
const SHAPES: readonly (readonly number[])[] = [[], [3], [2, 3], [0], [2, 0, 3]];

function doubled(): Program {
  return program({ outputs: { y: input("x", "float32", ["n"]).mul(2) } });
}

describe.each([
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const)("%s", (name, start) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });

  it("says what it is", () => {
    expect(engine.name).toBe(name);
    expect(engine.version).toMatch(/^\d+\.\d+/);
  });

  it.each(EVERY)("carries %s in and out, scalars and empty tensors too", async (dtype) => {
    for (const shape of SHAPES) {
      const x = input("x", dtype, shape);
      const session = await loadProgram(engine, program({ outputs: { y: x.reshape(shape), same: x } }));
      const size = shape.reduce((a, b) => a * b, 1);
      const value = new Tensor(
        dtype,
        shape,
        fromNumbers(
          dtype,
          Array.from({ length: size }, (_, i) => i % 2),
        ),
      );
      for (const result of Object.values(await session.run({ x: value }))) {
        expect(result.dtype).toBe(dtype);
        expect(result.shape).toEqual(shape);
        expect(result.data).toEqual(value.data);
        expect(result.data.constructor).toBe(DTYPES[dtype].array);
      }
      await session.release();
    }
  });

  it("carries the largest int64 and what is no number", async () => {
    const [i, f] = [input("i", "int64", [2]), input("f", "float32", [4])];
    const session = await loadProgram(engine, program({ outputs: { i: i.reshape([2]), f: f.reshape([4]) } }));
    const given = {
      i: new Tensor("int64", [2], BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n))),
      f: toTensor([Infinity, -Infinity, NaN, -0]),
    };
    const results = await session.run(given);
    expect(results.i!.data).toEqual(given.i.data);
    expect([...toNumbers(results.f!)]).toEqual([Infinity, -Infinity, NaN, -0]);
    await session.release();
  });

  it("takes a tensor's initial value where none is given, and other lengths run after run", async () => {
    const w = tensor([10, 20], { name: "w" });
    const p = program({ inputs: { w }, outputs: { y: input("x", "float32", ["n", 2]).mul(w) } });
    const session = await loadProgram(engine, p);
    expect(session.inputs.toSorted()).toEqual(["w", "x"]);
    expect(session.outputs).toEqual(["y"]);
    const run = async (given: Record<string, Tensor>): Promise<number[]> => [
      ...toNumbers((await session.run(given)).y!),
    ];
    expect(await run({ x: toTensor([[1, 2]]) })).toEqual([10, 40]);
    expect(
      await run({
        x: toTensor([
          [1, 2],
          [3, 4],
        ]),
        w: toTensor([1, 0]),
      }),
    ).toEqual([1, 0, 3, 0]);
    expect(await run({ x: toTensor([[1, 2]]) })).toEqual([10, 40]);
    await session.release();
  });

  it("checks what it is fed before anything runs", async () => {
    const session = await loadProgram(engine, doubled());
    await expect(session.run({})).rejects.toThrow(
      'the program\'s input "x" has no value; it wants float32 [n]',
    );
    await expect(session.run({ x: toTensor([1]), z: toTensor([1]) })).rejects.toThrow(
      'the program has no input "z"; it has x',
    );
    await expect(session.run({ x: toTensor(Float64Array.of(1)) })).rejects.toThrow(
      'the input "x" wants float32 [n], got float64 [1]',
    );
    await expect(session.run({ x: toTensor([[1]]) })).rejects.toThrow(
      'the input "x" wants float32 [n], got float32 [1,1]',
    );
    // A refused feed leaves the session as it was.
    expect([...toNumbers((await session.run({ x: toTensor([1, 2]) })).y!)]).toEqual([2, 4]);
    await session.release();
  });

  it("gives results that later runs do not touch, also when runs overlap", async () => {
    const session = await loadProgram(engine, doubled());
    const runs = await Promise.all(
      [1, 2, 3, 4].map((value) => session.run({ x: toTensor(new Float32Array(1000).fill(value)) })),
    );
    expect(runs.map(({ y }) => [y!.data[0], y!.data[999]])).toEqual([
      [2, 2],
      [4, 4],
      [6, 6],
      [8, 8],
    ]);
    await session.release();
  });

  it("holds several programs at once; ending one leaves the others", async () => {
    const x = input("x", "float32", [1]);
    const made = [1, 2, 3].map((k): Expression => x.add(k));
    const sessions = await Promise.all(made.map((y) => loadProgram(engine, program({ outputs: { y } }))));
    await sessions[0]!.release();
    const given = { x: toTensor([1]) };
    expect((await sessions[1]!.run(given)).y!.data[0]).toBe(3);
    expect((await sessions[2]!.run(given)).y!.data[0]).toBe(4);
    await Promise.all(sessions.slice(1).map((session) => session.release()));
  });

  it("says of bytes that are no model that it cannot load them", async () => {
    const error: unknown = await engine.load(Uint8Array.of(1, 2, 3)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FlockworkError);
    expect(error).toMatchObject({ code: "bad_argument" });
    expect(String(error)).toContain(`${name} cannot load the model`);
  });

  it("says which run failed, and runs on", async () => {
    const [x, at] = [input("x", "float32", [3]), input("at", "int64", [1])];
    const session = await loadProgram(engine, program({ outputs: { y: x.take(at) } }));
    const value = toTensor([1, 2, 3]);
    const place = (i: number): Tensor => toTensor([i], { dtype: "int64" });
    await expect(session.run({ x: value, at: place(7) })).rejects.toThrow(`${name} cannot run the model`);
    expect((await session.run({ x: value, at: place(2) })).y!.data[0]).toBe(3);
    await session.release();
  });

  it("refuses to run what was released", async () => {
    const session = await loadProgram(engine, doubled());
    await session.release();
    await expect(session.run({ x: toTensor([1]) })).rejects.toThrow(FlockworkError);
  });
});
