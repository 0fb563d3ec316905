// An engine in a thread of this process, for operators who trust who sends programs: nothing is copied on the way back, and nothing protects this process.
import { Worker } from "node:worker_threads";
import type { FromEngine } from "../dialogue.js";
import type { StartPlace } from "../place.js";
import { workerPlace } from "../worker/worker-place.js";
import type { EngineThreadOptions } from "./engine-thread.node.js";

// From source the thread still runs from dist/.
const beside = import.meta.url.endsWith(".ts") ? "../../../dist/engine/thread" : ".";
const ENTRY = new URL(`${beside}/engine-thread.node.js`, import.meta.url);

/** A run in it cannot be stopped: one that is killed goes on until it ends by itself, without anybody who hears of it. */
export function threadPlace(options: EngineThreadOptions): StartPlace {
  return workerPlace((listener) => {
    const worker = new Worker(ENTRY, { workerData: options, execArgv: [] });
    worker.on("message", (message: FromEngine) => {
      listener.message(message);
    });
    worker.on("error", (error) => {
      listener.failed(String(error));
    });
    worker.on("exit", (code) => {
      listener.failed(`exit code ${code}`);
    });
    return {
      post: (messages) => {
        worker.postMessage(messages);
      },
      busy: (yes) => {
        if (yes) worker.ref();
        else worker.unref();
      },
      // Not waited for: while a program runs the thread does not end.
      end() {
        worker.unref();
        void worker.terminate();
        return Promise.resolve();
      },
    };
  });
}
