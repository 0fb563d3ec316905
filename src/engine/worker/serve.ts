// The inside of an engine that lives in a thread or in a page's worker: messages in, answers out, one after the other.
import type { FromEngine, ToEngine } from "../dialogue.js";
import type { Engine } from "../engine.js";
import { Sessions } from "../sessions.js";
import type { EngineFacts } from "../slot.js";

/** The worker's side of its port. */
export interface WorkerPort {
  post(message: FromEngine, transfer: ArrayBuffer[]): void;
  listen(onMessages: (messages: readonly ToEngine[]) => void): void;
}

export interface Served {
  readonly engine: Engine;
  readonly facts: EngineFacts;
  /** Resolves, with the reason, when the device is gone that it computes with; nothing that runs then comes back. */
  readonly lost?: Promise<string>;
}

export async function serve(port: WorkerPort, memory: number, start: () => Promise<Served>): Promise<void> {
  const unfit = (error: unknown): void => {
    port.post({ t: "unfit", message: error instanceof Error ? error.message : String(error) }, []);
  };
  try {
    const { engine, facts, lost } = await start();
    void lost?.then((message) => {
      port.post({ t: "lost", message }, []);
    });
    const sessions = new Sessions(engine, { memory });
    const handle = async (messages: readonly ToEngine[]): Promise<void> => {
      for (const message of messages) {
        const answered = await sessions.handle(message);
        if (answered) post(port, answered);
      }
    };
    let turn = Promise.resolve();
    port.listen((messages) => {
      turn = turn.then(() => handle(messages)).catch(unfit);
    });
    port.post({ t: "ready", facts }, []);
  } catch (error) {
    unfit(error);
  }
}

/** Memory of outputs changes hands where an output has it for itself. */
function post(port: WorkerPort, message: FromEngine): void {
  const buffers = "data" in message ? message.data.filter(ownsMemory).map(({ buffer }) => buffer) : [];
  port.post(message, [...new Set(buffers as ArrayBuffer[])]);
}

/** A view of part of a buffer would take the whole buffer along. */
export function ownsMemory(bytes: Uint8Array): boolean {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.byteLength > 0;
}
