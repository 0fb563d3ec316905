// Programs in Node: an engine process for each slot.
import { engineSlots } from "../engine-slots.js";
import type { EngineSlots } from "../slot.js";
import { processPlace } from "./process-place.node.js";

export interface ProcessSlotsOptions {
  /** Programs that run at one time, each in a process of its own. */
  readonly slots: number;
  /** Threads inside one operator; 1 by default, since two engines of one thread beat one of two. */
  readonly threads?: number;
  /** What one program may take, in MiB; 4096 by default. */
  readonly memoryMb?: number;
  /** Execution provider: `cpu` (by default, where onnxruntime-node is installed), `wasm`, `cuda`, ... */
  readonly provider?: string;
  /** Bytes of sessions that each slot keeps loaded, about; 512 MiB by default. */
  readonly cacheBytes?: number;
}

/** Starts the first engine. Throws a FlockworkError where there is none, or not with this provider. */
export function processSlots({
  slots,
  threads = 1,
  memoryMb = 4096,
  provider,
  cacheBytes = 512 * 2 ** 20,
}: ProcessSlotsOptions): Promise<EngineSlots> {
  const start = processPlace({
    threads,
    memory: memoryMb * 2 ** 20,
    ...(provider !== undefined && { provider }),
  });
  return engineSlots(start, { slots, cacheBytes });
}
