// Many jobs and their results: reads its source as there is room, hands results out as they come or in order.
import { FlockworkError, JobError } from "../ids/index.js";
import { align, encodeContent, packPayloads, type Payload } from "../wire/index.js";
import type { Sink } from "./outstanding.js";
import { Unsolved, type Receipt, type Result } from "./result.js";

/** Anything that yields the jobs of a batch. */
export type JobSource = Iterable<unknown> | AsyncIterable<unknown>;

/** What a batch needs of its main node. */
export interface BatchHost {
  /** Sends a chunk of jobs; the first is number `index` of the batch. */
  submit(payloads: ReturnType<typeof packPayloads>, sink: Sink, index: number): void;
  room(): Promise<void>;
  /** The result of a job has been taken; it need not be sent again. */
  taken(receipt: Receipt): void;
  cancel(sink: Sink): void;
  /** Resolves at the end of this turn of the event loop. */
  turn(): Promise<void>;
}

/** Jobs and bytes that travel together. */
const CHUNK_JOBS = 1024;
const CHUNK_BYTES = 256 * 1024;

/** The results of `main.submit(...)`: iterate it once, as they come or `inOrder()`. */
export class Batch implements Sink, AsyncIterable<Result> {
  readonly #host: BatchHost;
  #results: Result[] = [];
  #head = 0;
  #wake: (() => void) | undefined = undefined;
  #submitted = 0;
  #settled = 0;
  #sourceDone = false;
  #sourceError: unknown = undefined;
  #cancelled = false;
  #allSettled: (() => void) | undefined = undefined;
  #iterated = false;

  constructor(host: BatchHost, source: JobSource) {
    this.#host = host;
    void this.#feed(source);
  }

  /** Jobs that were sent so far. */
  get submitted(): number {
    return this.#submitted;
  }

  /** Jobs that have a result, taken or not. */
  get settled(): number {
    return this.#settled;
  }

  /** Results as they come. Leaving the loop early cancels what is left. */
  [Symbol.asyncIterator](): AsyncIterator<Result, undefined> {
    this.#claim();
    let last: Result | undefined;
    return {
      next: async () => {
        if (last !== undefined) this.#taken(last);
        last = await this.#next();
        return last === undefined ? { done: true, value: undefined } : { done: false, value: last };
      },
      return: async () => {
        if (last !== undefined) this.#taken(last);
        await this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  /** Results in the order of the jobs. */
  async *inOrder(): AsyncGenerator<Result, void> {
    const early = new Map<number, Result>();
    let next = 0;
    for await (const result of this) {
      early.set(result.index, result);
      for (let ready = early.get(next); ready !== undefined; ready = early.get(next)) {
        early.delete(next++);
        yield ready;
      }
    }
  }

  /** Gives up every job that has no result: it is never reported solved. Resolves when the hub has confirmed. */
  async cancel(): Promise<void> {
    if (!this.#cancelled) {
      this.#cancelled = true;
      this.#host.cancel(this);
    }
    if (this.#settled < this.#submitted) await new Promise<void>((resolve) => (this.#allSettled = resolve));
    this.#wake?.();
  }

  settle(index: number, result: Result): void {
    if (this.#cancelled && result.ok)
      result = new Unsolved(new JobError("cancelled", "The job was cancelled."), index, result.receipt);
    this.#results.push(result);
    this.#settled++;
    this.#wake?.();
    if (this.#settled === this.#submitted) this.#allSettled?.();
  }

  async #feed(source: JobSource): Promise<void> {
    try {
      let payloads: Payload[] = [];
      let bytes = 0;
      let first = 0;
      let count = 0;
      const send = async () => {
        if (payloads.length === 0 || this.#cancelled) return;
        this.#submitted += payloads.length;
        this.#host.submit(packPayloads(payloads), this, first);
        payloads = [];
        bytes = 0;
        // The first jobs are on their way to the nodes while the next are read.
        await this.#host.turn();
        await this.#host.room();
      };
      const add = (value: unknown): boolean => {
        const payload = encodeContent(value);
        if (payloads.length === 0) first = count;
        count++;
        payloads.push(payload);
        bytes += align(payload.bytes.length);
        return payloads.length >= CHUNK_JOBS || bytes >= CHUNK_BYTES;
      };
      if (Symbol.iterator in source) {
        for (const value of source) {
          if (add(value)) await send();
          if (this.#cancelled) break;
        }
      } else {
        // A slow source must not hold back what it has given already.
        let pending = false;
        for await (const value of source) {
          if (add(value)) await send();
          else if (!pending) {
            pending = true;
            void this.#host.turn().then(async () => {
              pending = false;
              await send();
            });
          }
          if (this.#cancelled) break;
        }
      }
      await send();
    } catch (error) {
      this.#sourceError = error;
    }
    this.#sourceDone = true;
    this.#wake?.();
  }

  async #next(): Promise<Result | undefined> {
    for (;;) {
      if (this.#head < this.#results.length) {
        const result = this.#results[this.#head++]!;
        if (this.#head === this.#results.length) {
          this.#results = [];
          this.#head = 0;
        }
        return result;
      }
      if ((this.#sourceDone || this.#cancelled) && this.#settled === this.#submitted) {
        if (this.#sourceError !== undefined) throw this.#sourceError;
        return undefined;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }

  #taken(result: Result): void {
    this.#host.taken(result.receipt);
  }

  #claim(): void {
    if (this.#iterated)
      throw new FlockworkError(
        "bad_argument",
        "The results of a batch can be iterated once; submit the jobs again, or keep what you need.",
      );
    this.#iterated = true;
  }
}
