// What a program asks of its user: values that fit, and a file where it is told.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { toTensor } from "../tensor/index.js";
import { input, tensor } from "./leaf.js";
import { program } from "./program.js";

const a = input("a", "float32", ["batch", 2]);
const b = input("b", "float32", ["batch"]);
const p = program({ outputs: { y: a.sum(1).add(b) } });

describe("feeds", () => {
  it.each([
    [{ a: toTensor([[1, 2]]) }, `the program's input "b" has no value; it wants float32 [batch]`],
    [
      { a: toTensor([[1, 2]]), b: toTensor([1]), c: toTensor(1) },
      `the program has no input "c"; it has a, b`,
    ],
    [
      { a: toTensor([[1, 2]]), b: toTensor([1], { dtype: "int32" }) },
      `the input "b" wants float32 [batch], got int32 [1]`,
    ],
    [
      { a: toTensor([[1, 2, 3]]), b: toTensor([1]) },
      `the input "a" wants float32 [batch,2], got float32 [1,3]`,
    ],
    [
      { a: toTensor([[1, 2]]), b: toTensor([1, 2]) },
      `the input "b" wants float32 [batch], got float32 [2]; batch is 1 here`,
    ],
  ])("says what does not fit: %#", (given, message) => {
    expect(() => p.feeds(given)).toThrow(message);
  });
});

describe("save", () => {
  it("writes the model under its user's names", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flockwork-"));
    try {
      await p.save(join(folder, "sum.onnx"));
      expect(new Uint8Array(await readFile(join(folder, "sum.onnx")))).toEqual(p.toOnnx());
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("toOnnx", () => {
  it("gives no two values one name, whatever people call theirs", () => {
    const w = tensor(new Float32Array(32), { name: "w" });
    const t0 = input("t0", "float32", [32]);
    const c0 = input("c0", "float32", [32]);
    const y = t0.mul(w).add(c0.exp()).mul(3);
    const { graph } = fromBinary(
      ModelProtoSchema,
      program({ outputs: { w: y, w_out: y.neg(), y: y.exp() } }).toOnnx(),
    );
    const names = [
      ...graph!.node.flatMap(({ output }) => output),
      ...graph!.initializer.map(({ name }) => name),
      ...graph!.input.map(({ name }) => name),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(graph!.output.map(({ name }) => name)).toEqual(["w_out_", "w_out", "y"]);
  });
});
