// Programs in Node: an engine process for each slot, or a thread.
import { engineSlots, type SlotsOptions } from "../engine-slots.js";
import type { EngineSlots } from "../slot.js";
import { threadPlace } from "../thread/thread-place.node.js";
import { processPlace } from "./process-place.node.js";

export interface ProcessSlotsOptions extends Partial<SlotsOptions> {
  /** Programs that run at one time, each in a process of its own. */
  readonly slots: number;
  /** Threads inside one operator; 1 by default, since two engines of one thread beat one of two. */
  readonly threads?: number;
  /** MiB by which the engine of a slot may grow when programs run in it; 4096 by default. */
  readonly memoryMb?: number;
  /** Execution provider: `cpu` (by default, where onnxruntime-node is installed), `wasm`, `cuda`, ... */
  readonly provider?: string;
  /** The operator trusts who sends programs: they run in threads of this process, where nothing protects it from them. */
  readonly trusted?: boolean;
}

/** A program may need this part of the memory as `check` counts; the engine has needs of its own. */
const COUNTED = 0.8;

/** Starts the first engine. Throws a FlockworkError where there is none, or not with this provider. */
export function processSlots({
  slots,
  threads = 1,
  memoryMb = 4096,
  provider,
  trusted = false,
  cacheBytes = (memoryMb / 8) * 2 ** 20,
  ...rest
}: ProcessSlotsOptions): Promise<EngineSlots> {
  const growth = memoryMb * 2 ** 20;
  const options = { threads, memory: COUNTED * growth, ...(provider !== undefined && { provider }) };
  const start = trusted ? threadPlace(options) : processPlace({ ...options, growth });
  return engineSlots(start, { slots, cacheBytes, ...rest });
}
