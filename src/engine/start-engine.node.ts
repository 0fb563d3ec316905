// Starts the engine of this process: onnxruntime-node, or onnxruntime-web where that is not installed or WebAssembly is asked for.
import { FlockworkError } from "../ids/index.js";
import { DTYPES, type DType } from "../tensor/index.js";
import { cpuClass, deviceName } from "./cpu-class.node.js";
import type { Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";
import type { EngineFacts } from "./slot.js";

export interface EngineOptions {
  /** Execution provider: `cpu`, `wasm`, `cuda`, ...; `cpu` where nothing is said, `wasm` where there is only that. */
  readonly provider?: string;
  readonly threads: number;
}

export async function startEngine({
  provider,
  threads,
}: EngineOptions): Promise<{ engine: Engine; facts: EngineFacts }> {
  const [engine, own] = await choose(provider, threads);
  const { name, version } = engine;
  const facts: EngineFacts = {
    name,
    version,
    provider: own,
    threads,
    cpu: cpuClass(),
    device: deviceName(),
    dtypes: Object.keys(DTYPES) as DType[],
  };
  return { engine, facts };
}

async function choose(provider: string | undefined, threads: number): Promise<[Engine, string]> {
  if (provider !== "wasm")
    try {
      return [
        await ortNodeEngine({ threads, ...(provider !== undefined && { provider }) }),
        provider ?? "cpu",
      ];
    } catch (error) {
      if (provider !== undefined) throw error;
      if (!(error instanceof FlockworkError)) throw error;
    }
  return [await ortWebEngine({ threads }), "wasm"];
}
