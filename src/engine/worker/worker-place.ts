// An engine in a worker: a page's, or a thread of Node. The slot's side.
import type { FromEngine, ToEngine } from "../dialogue.js";
import type { EngineListener, EnginePlace } from "../place.js";
import { ownsMemory } from "./serve.js";

/** What there is in common of workers in pages and in Node. */
export interface WorkerLike {
  post(messages: readonly ToEngine[]): void;
  busy(yes: boolean): void;
  end(): Promise<void>;
}

export interface WorkerListener {
  message(message: FromEngine): void;
  failed(why: string): void;
}

/** `start` gives a worker that tells `listener` what it hears. */
export function workerPlace(
  start: (listener: WorkerListener) => WorkerLike,
): (listener: EngineListener) => EnginePlace {
  return (listener) => {
    let over = false;
    /** A worker hears nothing before it is ready; in a page what is sent meanwhile would be lost. */
    let early: (readonly ToEngine[])[] | undefined = [];
    const end = (why: string): void => {
      if (over) return;
      over = true;
      void worker.end();
      listener.ended({ code: "engine_crashed", message: `The engine's worker ended: ${why}` });
    };
    const worker = start({
      message(message) {
        if (over) return;
        try {
          listener.message(message);
        } catch (error) {
          end(String(error));
          return;
        }
        if (message.t === "ready") {
          for (const messages of early ?? []) worker.post(messages);
          early = undefined;
        }
      },
      failed: end,
    });
    return {
      send(messages) {
        if (over) return;
        const own = messages.map(withOwnMemory);
        if (early) early.push(own);
        else worker.post(own);
      },
      busy: (yes) => {
        worker.busy(yes);
      },
      kill() {
        over = true;
        return worker.end();
      },
    };
  };
}

/** What is posted is copied with the whole buffer that it lies in. */
function withOwnMemory(message: ToEngine): ToEngine {
  const own = (bytes: Uint8Array): Uint8Array => (ownsMemory(bytes) ? bytes : new Uint8Array(bytes));
  if (message.t === "run") return { ...message, data: message.data.map(own) };
  return message.t === "load" ? { ...message, model: own(message.model) } : message;
}
