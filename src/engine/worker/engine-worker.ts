// The script of a page's engine worker. Whoever bundles a page makes it a module worker of its own; page-slots.ts speaks to it.
import type { FromEngine, ToEngine } from "../dialogue.js";
import { serve } from "./serve.js";
import { startPageEngine, type PageEngineOptions } from "./start-page-engine.js";

/** The first message. */
export interface EngineWorkerOptions extends PageEngineOptions {
  /** Bytes that one program may need at once, as `check` counts. */
  readonly memory: number;
}

addEventListener(
  "message",
  ({ data }: MessageEvent<EngineWorkerOptions>) => {
    void serve(
      {
        post: (message: FromEngine, transfer) => {
          postMessage(message, { transfer });
        },
        listen: (onMessages) => {
          addEventListener("message", (event: MessageEvent<readonly ToEngine[]>) => {
            onMessages(event.data);
          });
        },
      },
      data.memory,
      () => startPageEngine(data),
    );
  },
  { once: true },
);
