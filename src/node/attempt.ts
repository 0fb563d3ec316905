// One attempt at this node: what it is of, and how it stands between its coming and its answer.
import { FlockworkError, type NodeId } from "../ids/index.js";
import type { Payload, RemotePayload } from "../wire/index.js";
import type { Computed } from "./compute/program-run.js";
import type { KillableRun } from "./runner.js";
import type { ServiceContext } from "./service.js";

interface Placed {
  readonly task: number;
  readonly attempt: number;
  /** 0: no limit. */
  readonly timeoutMs: number;
}

/** One attempt at a job of a service. */
export interface ServiceAttempt extends Placed {
  readonly service: string;
  /** The main node that asked, and the job's number there. */
  readonly client: NodeId;
  readonly seq: number;
  readonly payload: Payload | RemotePayload;
  readonly inputs: readonly (Payload | RemotePayload)[];
}

/** One attempt at a program. */
export interface ProgramAttempt extends Placed {
  readonly program: string;
  /** Resolves when it may start: what it needs is here. */
  readonly ready: Promise<void>;
  /** Runs it. `started` is called when its time begins. */
  run(started: () => void): KillableRun<Computed>;
  /** It will not run here. */
  leave(): void;
}

/** One attempt at this node. */
export type Attempt = ServiceAttempt | ProgramAttempt;

/** An attempt in the queue or in a slot; also the context its service sees. */
export class Held implements ServiceContext {
  /** `orphan`: runs on, but nobody wants its answer. `gone`: not here any more. */
  state: "queued" | "running" | "orphan" | "gone" = "queued";
  stopped = false;
  startedAt = 0;
  run: KillableRun<unknown> | undefined = undefined;
  timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(readonly what: Attempt) {}

  get attempt(): number {
    return this.what.attempt;
  }

  get client(): NodeId {
    return (this.what as ServiceAttempt).client;
  }

  get seq(): number {
    return (this.what as ServiceAttempt).seq;
  }

  /** Made when first asked for: most services never look. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.stopped) this.#controller.abort(NOT_WANTED);
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller?.abort(NOT_WANTED);
  }
}

export const NOT_WANTED = new FlockworkError("cancelled", "This attempt is not wanted any more.");
