// What a client gets for a job: a solution, or the error that says why there is none.
import { FlockworkError, JobError, type NodeId } from "../ids/index.js";
import { Content } from "../wire/index.js";
import type { Arrival } from "./arrivals.js";

/** What acknowledging a result takes: the job's number in its session, and the bytes it counted for. */
export interface Receipt {
  readonly seq: number;
  /** -1: it counted for nothing here, an earlier process sent it. */
  readonly bytes: number;
}

/** The receipt of a job that was never sent. */
export const NEVER_SENT: Receipt = { seq: -1, bytes: -1 };

/** A solution: read it with text(), json(), bytes(), tensor() or value(); beyond 64 MiB with stream(), or after load(). */
export class Solution extends Content {
  readonly ok = true;

  readonly #release: (() => void) | undefined;

  constructor(
    { payload, release }: Arrival,
    /** The node that computed it. */
    readonly node: NodeId,
    /** Position of the job in its batch, from 0; 0 for a single request. From resume(): the job's number in its session. */
    readonly index: number,
    readonly receipt: Receipt,
  ) {
    super(payload);
    this.#release = release;
  }

  /** A large solution that was not fetched waits at the hub until it was read to its end; this gives it up. */
  release(): void {
    this.#release?.();
  }
}

/** A job that has no solution and will have none. */
export class Unsolved {
  readonly ok = false;

  constructor(
    readonly error: JobError,
    readonly index: number,
    readonly receipt: Receipt,
  ) {}
}

export type Result = Solution | Unsolved;

/** Why a value did not become a job. Throws what is no mistake of the caller's. */
export function unsendable(error: unknown): JobError {
  if (!(error instanceof FlockworkError)) throw error;
  return new JobError(error.code, error.message);
}
