// WebAssembly beside an engine that cannot do everything: here the native engine with something taken from it. WebGPU itself is
// tried in test/browser/webgpu.test.ts.
import { beforeAll, describe, expect, it } from "vitest";
import { input, program, type Program } from "../../graph/index.js";
import { Tensor } from "../../tensor/index.js";
import { loadProgram, type Engine, type Session } from "../engine.js";
import { ortNodeEngine } from "../ort-node.node.js";
import { expectComputesRight, withFallback } from "./webgpu-engine.js";

const x = input("x", "float32", [2]);
const sum = program({ outputs: { y: x.add(x) } });
const feeds = { x: new Tensor("float32", [2], Float32Array.of(1, 2)) };

describe("an engine with another beside it", () => {
  let native: Engine;
  let asked: number;
  beforeAll(async () => {
    native = await ortNodeEngine();
  });

  const beside = (gpu: Engine) => {
    asked = 0;
    return withFallback(gpu, () => (asked++, Promise.resolve(native)));
  };
  const changed = (change: (session: Session) => Partial<Session>): Engine => ({
    ...native,
    load: async (model) => {
      const session = await native.load(model);
      return { ...session, ...change(session) };
    },
  });
  async function run(engine: Engine, of: Program): Promise<string> {
    const session = await loadProgram(engine, of);
    return String((await session.run(feeds))["y"]);
  }

  it("does not ask for the other while it can do all", async () => {
    expect(await run(beside(native), sum)).toBe("Tensor float32 [2] 2 4");
    expect(asked).toBe(0);
  });

  it("has the other do what it does not load, and what it fails to run, from then on", async () => {
    const refusing: Engine = { ...native, load: () => Promise.reject(new Error("no kernel")) };
    expect(await run(beside(refusing), sum)).toBe("Tensor float32 [2] 2 4");
    let tries = 0;
    const failing = changed(() => ({ run: () => (tries++, Promise.reject(new Error("no kernel"))) }));
    const session = await loadProgram(beside(failing), sum);
    for (let i = 0; i < 3; i++)
      expect(String((await session.run(feeds))["y"])).toBe("Tensor float32 [2] 2 4");
    expect([tries, asked]).toEqual([1, 1]);
  });

  it("has the other do what WebGPU gets wrong, and nothing more", async () => {
    const loaded: string[] = [];
    const engine = beside({ ...native, load: (model) => (loaded.push("gpu"), native.load(model)) });
    const image = input("x", "float32", [1, 2, 4, 4]);
    const row = input("x", "float32", [1, 2, 4]);
    for (const [y, by] of [
      [x.sin(), "wasm"],
      [x.exp().cos().add(1), "wasm"],
      [x.slice([1], [null], [0], [-1]), "wasm"],
      [row.convTranspose(input("w", "float32", [2, 2, 3])), "wasm"],
      [x.slice([0], [1]), "gpu"],
      [image.convTranspose(input("w", "float32", [2, 2, 3, 3])), "gpu"],
      [x.exp().log(), "gpu"],
    ] as const) {
      loaded.length = 0;
      await engine.load(program({ outputs: { y } }).model);
      expect([String(y), loaded]).toEqual([String(y), by === "gpu" ? ["gpu"] : []]);
    }
  });

  it("is not used where it computes wrongly", async () => {
    await expectComputesRight(native);
    const off = changed((session) => ({
      run: async (inputs) =>
        Object.fromEntries(
          Object.entries(await session.run(inputs)).map(([name, { dtype, shape, data }]) => [
            name,
            new Tensor(
              dtype,
              shape,
              Float32Array.from(data as Float32Array, (v) => v * 1.001),
            ),
          ]),
        ),
    }));
    await expect(expectComputesRight(off)).rejects.toThrow(/element \d+ of its .* ought to be .*"wasm"/);
    const mute = changed(() => ({ run: () => Promise.reject(new Error("no kernel")) }));
    await expect(expectComputesRight(mute)).rejects.toThrow(/does not run the first program: .*no kernel/);
  });
});
