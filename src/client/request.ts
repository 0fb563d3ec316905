// One awaited job: a promise of its solution that can also be an input of later jobs.
import { JobError } from "../ids/index.js";
import type { Sink } from "./outstanding.js";
import type { Receipt, Result, Solution } from "./result.js";

export class PendingRequest implements PromiseLike<Solution>, Sink {
  /** The job's number in its session. */
  seq = -1;
  readonly #promise: Promise<Solution>;
  readonly #taken: (receipt: Receipt) => void;
  #settle!: (result: Result) => void;
  cancelled = false;

  constructor(taken: (receipt: Receipt) => void, cancel: () => void, signal: AbortSignal | undefined) {
    this.#taken = taken;
    this.#promise = new Promise((resolve, reject) => {
      const onAbort = () => {
        this.cancelled = true;
        cancel();
        reject(new JobError("cancelled", "The job was cancelled."));
      };
      this.#settle = (result) => {
        signal?.removeEventListener("abort", onAbort);
        if (result.ok) resolve(result);
        else reject(result.error);
      };
      if (signal?.aborted) queueMicrotask(onAbort);
      else signal?.addEventListener("abort", onAbort, { once: true });
    });
    // Whoever keeps a request only as another's input must not die of its rejection.
    this.#promise.catch(() => undefined);
  }

  settle(_index: number, result: Result): void {
    this.#settle(result);
    if (this.cancelled && result.ok) result.release();
    // The awaiting code runs first, so that it can name this request as an input before it is acknowledged.
    setTimeout(() => this.#taken(result.receipt), 0);
  }

  then<A = Solution, B = never>(
    onSolved?: ((solution: Solution) => A | PromiseLike<A>) | null,
    onFailed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise.then(onSolved, onFailed);
  }

  catch<B = never>(onFailed?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<Solution | B> {
    return this.#promise.catch(onFailed);
  }

  finally(onEnd?: (() => void) | null): Promise<Solution> {
    return this.#promise.finally(onEnd);
  }
}
