// The inside of a module worker: imports the module, runs its function, one job at a time.
import { parentPort } from "node:worker_threads";
import { FlockworkError } from "../ids/index.js";
import { Content, PAYLOAD_KINDS, type Payload, type PayloadKind } from "../wire/index.js";
import { encodeSolution, type AttemptFacts } from "./runner.js";
import { failureOf, Job, type ServiceFunction } from "./service.js";

interface Sent {
  readonly kind: PayloadKind;
  readonly bytes: Uint8Array;
}

export interface WorkerRun extends Sent, AttemptFacts {
  /** file: URL of the module, and the name of its exported function. */
  readonly module: string;
  readonly name: string;
  readonly inputs: readonly Sent[];
}

export type WorkerAnswer =
  | { readonly ok: true; readonly payload: Payload }
  | { readonly ok: false; readonly failure: { code: string; message: string; retry: boolean } };

const port = parentPort;
port?.on("message", async (run: WorkerRun) => {
  port.postMessage(await answer(run));
});

async function answer(run: WorkerRun): Promise<WorkerAnswer> {
  try {
    const service = await load(run.module, run.name);
    const job = new Job(
      received(run),
      run.inputs.map((input) => new Content(received(input))),
    );
    // The worker is killed when it must stop, so its signal never fires.
    const { attempt, client, seq } = run;
    const result = await service(job, { signal: new AbortController().signal, attempt, client, seq });
    return { ok: true, payload: encodeSolution(result) };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

async function load(module: string, name: string): Promise<ServiceFunction> {
  const exported = (await import(module)) as Record<string, unknown>;
  const service = exported[name];
  if (typeof service !== "function")
    throw new FlockworkError(
      "bad_argument",
      `${module} exports no function "${name}"; it exports ${Object.keys(exported).join(", ") || "nothing"}.`,
    );
  return service as ServiceFunction;
}

function received({ kind, bytes }: Sent): Payload {
  return { kind: PAYLOAD_KINDS.indexOf(kind), bytes };
}
