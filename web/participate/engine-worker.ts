// One engine of this tab: ONNX Runtime on WebAssembly, one thread, or on the graphics card; in a worker that can be ended at any time.
import asyncify from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import jspi from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import type { ToEngine } from "../../src/engine/dialogue.js";
import type { Engine, Session } from "../../src/engine/engine.js";
import type { EngineWorkerOptions } from "../../src/engine/worker/engine-worker.js";
import { serve } from "../../src/engine/worker/serve.js";
import { deviceKind } from "./device.js";
import { startPageEngine } from "../../src/engine/worker/start-page-engine.js";

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

/** The first message says what computes, and what one program may need. */
const options = await new Promise<EngineWorkerOptions>((resolve) => {
  addEventListener("message", ({ data }: MessageEvent<EngineWorkerOptions>) => resolve(data), { once: true });
});

await serve(
  {
    post: (message, transfer) => postMessage(message, { transfer }),
    listen: (onMessages) => {
      addEventListener("message", ({ data }: MessageEvent<readonly ToEngine[]>) => onMessages(data));
    },
  },
  options.memory,
  async () => {
    const started = await startPageEngine(options, { wasm, jspi, asyncify }, deviceKind(navigator.userAgent));
    return { ...started, engine: falling(started.engine) };
  },
);
