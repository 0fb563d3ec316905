// The WebAssembly engine: onnxruntime-web, in a tab or in Node. Loaded only when asked for.
import type { Engine } from "./engine.js";
import { ortEngine } from "./ort.js";

export interface OrtWebOptions {
  /** More than one needs a page that is cross-origin isolated. */
  readonly threads?: number;
}

/** The engine of `onnxruntime-web`, on WebAssembly. */
export async function ortWebEngine({ threads = 1 }: OrtWebOptions = {}): Promise<Engine> {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = threads;
  return ortEngine("onnxruntime-web", ort.env.versions.web ?? "", ort, {
    executionProviders: ["wasm"],
    // What fails is thrown; it need not stand on the screen as well.
    logSeverityLevel: 4,
  });
}
