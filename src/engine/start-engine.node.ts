// Starts the engine of this process: onnxruntime-node, or onnxruntime-web where that is not installed or WebAssembly is asked for.
import { FlockworkError } from "../ids/index.js";
import { input, program } from "../graph/index.js";
import { DTYPES, Tensor, type DType } from "../tensor/index.js";
import { cpuClass, deviceName } from "./cpu-class.node.js";
import { loadProgram, type Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";
import type { EngineFacts } from "./slot.js";

export interface EngineOptions {
  /** Execution provider: `cpu`, `wasm`, `cuda`, ...; where nothing is said `cpu`, or `wasm` where there is only that. */
  readonly provider?: string;
  readonly threads: number;
}

/** Throws a FlockworkError where there is no engine, or where it does not compute. */
export async function startEngine(options: EngineOptions): Promise<{ engine: Engine; facts: EngineFacts }> {
  const [engine, provider] = await choose(options);
  const { name, version } = engine;
  await expectComputes(engine, provider);
  const facts: EngineFacts = {
    name,
    version,
    provider,
    threads: options.threads,
    cpu: cpuClass(),
    device: deviceName(),
    dtypes: Object.keys(DTYPES) as DType[],
  };
  return { engine, facts };
}

async function choose({ provider, threads }: EngineOptions): Promise<[Engine, string]> {
  if (provider === undefined)
    try {
      return [await ortNodeEngine({ threads }), "cpu"];
    } catch (error) {
      if (!(error instanceof FlockworkError)) throw error;
      return [await ortWebEngine({ threads }), "wasm"];
    }
  if (provider === "wasm") return [await ortWebEngine({ threads }), provider];
  return [await ortNodeEngine({ threads, provider }), provider];
}

/** A provider may be listed and yet not work: its library or its device is missing. */
async function expectComputes(engine: Engine, provider: string): Promise<void> {
  const x = input("x", "float32", [2]);
  try {
    const session = await loadProgram(engine, program({ outputs: { y: x.add(x) } }));
    const { y } = await session.run({ x: new Tensor("float32", [2], Float32Array.of(1, 2)) });
    if (y?.data[1] !== 4) throw new Error(`2 + 2 is ${String(y?.data[1])}`);
    await session.release();
  } catch (cause) {
    throw new FlockworkError(
      "bad_argument",
      `the provider "${provider}" of ${engine.name} does not work here: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
