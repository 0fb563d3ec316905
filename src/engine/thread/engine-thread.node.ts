// The inside of an engine thread. thread-place.node.ts starts it.
import { parentPort, workerData } from "node:worker_threads";
import type { ToEngine } from "../dialogue.js";
import { startEngine, type EngineOptions } from "../start-engine.node.js";
import { serve } from "../worker/serve.js";

export interface EngineThreadOptions extends EngineOptions {
  /** Bytes that one program may need at once, as `check` counts. */
  readonly memory: number;
}

const port = parentPort!;
const options = workerData as EngineThreadOptions;
await serve(
  {
    post: (message, transfer) => {
      port.postMessage(message, transfer);
    },
    listen: (onMessages) => {
      port.on("message", (messages: readonly ToEngine[]) => {
        onMessages(messages);
      });
    },
  },
  options.memory,
  () => startEngine(options),
);
