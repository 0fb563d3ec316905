// Programs in a page: an engine in a worker of the page for each slot. The worker's script is the page's own (serve() in it).
import { engineSlots, type FiguresStore } from "../engine-slots.js";
import type { EngineSlots } from "../slot.js";
import { workerPlace } from "./worker-place.js";

export interface PageSlotsOptions {
  /** Programs that run at one time, each in a worker of its own. */
  readonly slots: number;
  /** Starts the page's engine worker. */
  readonly worker: () => Worker;
  /** Bytes of sessions that each slot keeps loaded, about. Default 64 MiB. */
  readonly cacheBytes?: number;
  readonly figures?: FiguresStore;
}

const CACHE_BYTES = 64 * 2 ** 20;

/** Starts the first engine. Throws a FlockworkError where it does not start. */
export function pageSlots({
  worker: open,
  cacheBytes = CACHE_BYTES,
  ...rest
}: PageSlotsOptions): Promise<EngineSlots> {
  const start = workerPlace((listener) => {
    const worker = open();
    worker.onmessage = ({ data }: MessageEvent) => listener.message(data);
    worker.onerror = (event) => {
      event.preventDefault();
      listener.failed(event.message || "its script could not be loaded");
    };
    return {
      post: (messages) => worker.postMessage(messages),
      busy: () => undefined,
      end() {
        worker.terminate();
        return Promise.resolve();
      },
    };
  });
  return engineSlots(start, { cacheBytes, ...rest });
}
