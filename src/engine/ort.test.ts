// The runtime's own faults that the adapter hides.
import { describe, expect, it } from "vitest";
import { input, program } from "../graph/index.js";
import { toTensor } from "../tensor/index.js";
import { loadProgram } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

describe.each([
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const)("%s", (_, start) => {
  it("keeps the precision of a factor of a product", async () => {
    const x = input("x", "float64", [1, 1]);
    const session = await loadProgram(await start(), program({ outputs: { y: x.mul(0.3).matmul(x) } }));
    const { y } = await session.run({ x: toTensor(Float64Array.of(1), { shape: [1, 1] }) });
    expect(y!.data[0]).toBe(0.3);
    await session.release();
  });

  it("runs what its fusions would turn into an operator without a kernel", async () => {
    const x = input("x", "float64", [2]);
    const session = await loadProgram(await start(), program({ outputs: { y: x.mul(x.sigmoid()) } }));
    const { y } = await session.run({ x: toTensor(Float64Array.of(0, 1)) });
    expect(y!.data[1]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
    await session.release();
  });
});
