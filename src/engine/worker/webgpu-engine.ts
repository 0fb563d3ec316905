// WebGPU with WebAssembly beside it: what the graphics card does not compute, or would get wrong, the processor does.
import { evaluate, input, program, type Program } from "../../graph/index.js";
import { FlockworkError } from "../../ids/index.js";
import { Tensor, toNumbers } from "../../tensor/index.js";
import { loadProgram, type Engine, type Session } from "../engine.js";
import { unfitForWebGpu } from "./webgpu-rows.js";

/** Relative to the largest element: what the hub takes for the same result of two kinds of engines. */
const TOLERANCE = 1e-4;

/** An engine like `gpu`. `wasm` is asked for with the first program that needs it. */
export function withFallback(gpu: Engine, wasm: () => Promise<Engine>): Engine {
  const loadWasm = async (model: Uint8Array) => (await wasm()).load(model);
  return {
    name: gpu.name,
    version: gpu.version,
    async load(model) {
      if (unfitForWebGpu(model) !== undefined) return loadWasm(model);
      let session: Session;
      try {
        session = await gpu.load(model);
      } catch {
        // Some kernels are not there for every dtype. What WebAssembly refuses too is told in its words.
        return loadWasm(model);
      }
      return fallingBack(session, () => loadWasm(model));
    },
  };
}

/** Some kernels are found missing only when they run; then and from then on the other session runs. */
function fallingBack(first: Session, load: () => Promise<Session>): Session {
  let current = first;
  return {
    inputs: first.inputs,
    outputs: first.outputs,
    async run(inputs) {
      try {
        return await current.run(inputs);
      } catch (error) {
        if (current !== first) throw error;
        current = await load();
        void first.release().catch(() => undefined);
        return current.run(inputs);
      }
    },
    release: () => current.release(),
  };
}

/**
 * Runs a small program of the operators that most work is made of, and compares it with the reference. Throws a FlockworkError
 * where it differs: such a device would give wrong answers.
 */
export async function expectComputesRight(engine: Engine): Promise<void> {
  const probe = probeProgram();
  const feeds = Object.fromEntries(
    probe.inputs.map(({ name, type }, at) => [name, numbers(type.shape as readonly number[], at)]),
  );
  let results: Readonly<Record<string, Tensor>>;
  try {
    const session = await loadProgram(engine, probe);
    results = await session.run(feeds);
    // Kept: with its last session a runtime may let go of the device.
  } catch (cause) {
    throw wrong(`it does not run the first program: ${(cause as Error).message}`, cause);
  }
  const names = probe.outputs.map(({ name }) => name);
  const expected = evaluate(Object.values(probeOutputs()), feeds);
  for (const [i, name] of names.entries()) {
    const values = toNumbers(results[name]!);
    const wanted = expected[i]!.data;
    const scale = wanted.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    values.forEach((value, k) => {
      if (!(Math.abs(value - wanted[k]!) <= TOLERANCE * scale))
        throw wrong(`element ${k} of its ${name} is ${value}, and ought to be ${wanted[k]}`);
    });
  }
}

function wrong(what: string, cause?: unknown): FlockworkError {
  return new FlockworkError(
    "bad_argument",
    `WebGPU computes wrongly on this device (${what}); use the provider "wasm"`,
    { cause },
  );
}

function probeOutputs() {
  const x = input("x", "float32", [37, 29]);
  const weight = input("weight", "float32", [29, 19]);
  const image = input("image", "float32", [2, 3, 11, 9]);
  const kernel = input("kernel", "float32", [4, 3, 3, 3]);
  return {
    matmul: x.matmul(weight),
    elementwise: x.mul(x).add(1).sqrt().div(x.abs().add(0.5)).sub(x.tanh()).maximum(0),
    softmax: x.softmax(),
    log: x.abs().add(0.1).log(),
    gelu: x.gelu(),
    sum: x.sum([0]),
    mean: x.mean([1]),
    max: x.max([0]),
    where: x.greater(0).where(x.exp(), x.neg()),
    transposed: x.transpose().matmul(x),
    conv: image.conv(kernel, { padding: 1, stride: 2 }),
    maxPool: image.maxPool([2, 2]),
  };
}

function probeProgram(): Program {
  return program({ outputs: probeOutputs() });
}

/** Between -1 and 1, the same on every device. */
function numbers(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from(
    { length: size },
    (_, i) => (((i + 1) * (7919 + 104 * seed)) % 2003) / 1001 - 1,
  );
  return new Tensor("float32", shape, data);
}
