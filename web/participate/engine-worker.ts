// One engine of this tab: ONNX Runtime on WebAssembly, one thread, in a worker that can be ended at any time.
import * as ort from "onnxruntime-web/wasm";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import type { ToEngine } from "../../src/engine/dialogue.js";
import type { Engine, Session } from "../../src/engine/engine.js";
import { ortEngine } from "../../src/engine/ort.js";
import type { EngineWorkerOptions } from "../../src/engine/worker/engine-worker.js";
import { serve } from "../../src/engine/worker/serve.js";
import { DTYPES, type DType } from "../../src/tensor/index.js";
import { deviceKind } from "./device.js";

/** Ends this worker: whoever started it sees that, and starts another. */
function fall(error: unknown): Promise<never> {
  setTimeout(() => {
    throw error;
  });
  return new Promise(() => undefined);
}

/** What traps in WebAssembly leaves memory that nothing may be built on. */
function trapped(error: unknown): boolean {
  const cause = (error as { cause?: unknown }).cause;
  return error instanceof WebAssembly.RuntimeError || cause instanceof WebAssembly.RuntimeError;
}

function falling(engine: Engine): Engine {
  const guard = <T>(work: Promise<T>) =>
    work.catch((error: unknown) => {
      if (trapped(error)) return fall(error);
      throw error;
    });
  return {
    ...engine,
    load: (model) =>
      guard(engine.load(model)).then((session): Session => ({
        ...session,
        run: (inputs) => guard(session.run(inputs)),
      })),
  };
}

addEventListener("unhandledrejection", ({ reason }) => void fall(reason));

/** The first message says what one program may need. */
const { memory } = await new Promise<EngineWorkerOptions>((resolve) => {
  addEventListener("message", ({ data }: MessageEvent<EngineWorkerOptions>) => resolve(data), { once: true });
});

await serve(
  {
    post: (message, transfer) => postMessage(message, { transfer }),
    listen: (onMessages) => {
      addEventListener("message", ({ data }: MessageEvent<readonly ToEngine[]>) => onMessages(data));
    },
  },
  memory,
  () => {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = { wasm };
    const engine = ortEngine("onnxruntime-web", ort.env.versions.web ?? "", ort, {
      executionProviders: ["wasm"],
      logSeverityLevel: 4,
    });
    return Promise.resolve({
      engine: falling(engine),
      facts: {
        name: engine.name,
        version: engine.version,
        provider: "wasm",
        threads: 1,
        // The same instructions everywhere: that is what WebAssembly is.
        cpu: "wasm simd",
        device: deviceKind(navigator.userAgent),
        dtypes: Object.keys(DTYPES) as DType[],
      },
    });
  },
);
