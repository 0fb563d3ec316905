// Programs in a page: an engine in a worker for each slot. A worker is ended at once, even in the middle of a run.
import { engineSlots, type SlotsOptions } from "../engine-slots.js";
import type { FromEngine, ToEngine } from "../dialogue.js";
import type { EngineSlots } from "../slot.js";
import type { EngineWorkerOptions } from "./engine-worker.js";
import type { PageEngineOptions } from "./start-page-engine.js";
import { workerPlace } from "./worker-place.js";

export interface WorkerSlotsOptions extends Partial<SlotsOptions>, PageEngineOptions {
  readonly slots: number;
  /** Starts a worker with the script engine-worker.ts, as the page's bundler names it. */
  readonly start: () => Worker;
  /** The graphics card is gone that they computed with: they go on with WebAssembly, also with what ran. */
  readonly onDeviceLost?: (why: string) => void;
  /** What a program may need, in MiB; 1024 by default: WebAssembly has 4096, and a page less. */
  readonly memoryMb?: number;
}

/** Starts the first worker. Throws a FlockworkError where the provider is not there. */
export function workerSlots({
  slots,
  start,
  memoryMb = 1024,
  provider,
  wasmPaths,
  cacheBytes = (memoryMb / 8) * 2 ** 20,
  onDeviceLost,
  ...rest
}: WorkerSlotsOptions): Promise<EngineSlots> {
  let options: EngineWorkerOptions = {
    memory: memoryMb * 2 ** 20,
    ...(provider !== undefined && { provider }),
    ...(wasmPaths !== undefined && { wasmPaths }),
  };
  const place = workerPlace((listener) => {
    const worker = start();
    worker.addEventListener("message", ({ data }: MessageEvent<FromEngine>) => {
      if (data.t === "lost" && options.provider !== "wasm") {
        options = { ...options, provider: "wasm" };
        onDeviceLost?.(data.message);
      }
      listener.message(data);
    });
    worker.addEventListener("error", ({ message }) => {
      listener.failed(message || "its script could not be loaded");
    });
    worker.postMessage(options);
    return {
      post: (messages: readonly ToEngine[]) => {
        worker.postMessage(messages);
      },
      // A page lives as long as its tab.
      busy: () => undefined,
      end: () => {
        worker.terminate();
        return Promise.resolve();
      },
    };
  });
  return engineSlots(place, { slots, cacheBytes, ...rest });
}
