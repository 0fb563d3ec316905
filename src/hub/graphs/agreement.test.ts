// When two results must be the same bits, and when they may be close.
import { expect, it } from "vitest";
import { encodeTensor, Tensor } from "../../tensor/index.js";
import type { EngineFields } from "../../wire/index.js";
import { alike, difference } from "./agreement.js";

const engine = {
  name: "onnxruntime-web",
  version: "1.30.0",
  provider: "wasm",
  threads: 1,
  cpu: "wasm",
} as EngineFields;

it("engines are alike where all that decides their bits is the same, and never on graphics cards", () => {
  expect(alike(engine, { ...engine, flops: 1 })).toBe(true);
  for (const other of [{ version: "1.29.0" }, { provider: "cpu" }, { threads: 2 }, { cpu: "x64 intel" }])
    expect([other, alike(engine, { ...engine, ...other })]).toEqual([other, false]);
  expect(alike(engine, undefined)).toBe(false);
  const card = { ...engine, provider: "webgpu", cpu: "webgpu nvidia ampere" };
  expect(alike(card, card)).toBe(false);
});

it("results of others are the same within the tolerance of their dtype", () => {
  const of = (...data: number[]) =>
    encodeTensor(new Tensor("float32", [data.length], Float32Array.from(data)));
  expect(difference(of(100, 1), of(100.005, 1.005))).toBeUndefined();
  expect(difference(of(100, 1), of(100.05, 1))).toMatch(/element 0/);
  expect(difference(of(1), of(1, 1))).toBeDefined();
  const whole = (...data: number[]) =>
    encodeTensor(new Tensor("int32", [data.length], Int32Array.from(data)));
  expect(difference(whole(1_000_000), whole(1_000_001))).toMatch(/element 0/);
});
