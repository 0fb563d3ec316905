// Many jobs and their results: reads its source as there is room, hands results out as they come or in order.
import { FlockworkError, JobError } from "../ids/index.js";
import { align, encodeContent, STREAM_BYTES, type Payload } from "../wire/index.js";
import type { Sink } from "./outstanding.js";
import { NEVER_SENT, unsendable, Unsolved, type Receipt, type Result } from "./result.js";

/** Anything that yields the jobs of a batch. */
export type JobSource = Iterable<unknown> | AsyncIterable<unknown>;

/** What a batch needs of its main node. */
export interface BatchHost {
  /** Sends a chunk of jobs; the first is number `index` of the batch. */
  submit(payloads: readonly Payload[], sink: Sink, index: number): void;
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
  #sourceError: { readonly error: unknown } | undefined = undefined;
  #cancelled = false;
  #onCancel!: () => void;
  readonly #whenCancelled = new Promise<void>((resolve) => (this.#onCancel = resolve));
  #allSettled: (() => void)[] = [];
  #iterated = false;
  /** The reader has left: what is here and what comes is acknowledged unseen. */
  #unread = false;

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

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Results as they come; taking the next acknowledges the last. Leaving the loop early cancels what is left. */
  [Symbol.asyncIterator](): AsyncIterator<Result, undefined> {
    return this.#iterate(() => this.#next());
  }

  /** Results in the order of the jobs. One that comes early waits, and counts for the backpressure, until its turn. */
  inOrder(): AsyncIterableIterator<Result, undefined> {
    const early = new Map<number, Result>();
    let turn = 0;
    const iterator = this.#iterate(async () => {
      while (!early.has(turn)) {
        const result = await this.#next();
        if (result === undefined) return undefined;
        early.set(result.index, result);
      }
      const result = early.get(turn);
      early.delete(turn++);
      return result;
    }, early);
    return iterator;
  }

  /** `early`: results that have been read but not handed out. */
  #iterate(
    read: () => Promise<Result | undefined>,
    early?: Map<number, Result>,
  ): AsyncIterableIterator<Result, undefined> {
    this.#claim();
    let last: Result | undefined;
    const iterator: AsyncIterableIterator<Result, undefined> = {
      next: async () => {
        if (last !== undefined) this.#taken(last);
        last = await read();
        return last === undefined ? { done: true, value: undefined } : { done: false, value: last };
      },
      return: async () => {
        if (last !== undefined) this.#taken(last);
        for (const result of early?.values() ?? []) this.#drop(result);
        this.#leaveUnread();
        await this.cancel();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Gives up every job that has no result: it is never reported solved. Resolves when the hub has confirmed. */
  async cancel(): Promise<void> {
    if (!this.#cancelled) {
      this.#cancelled = true;
      this.#onCancel();
      this.#host.cancel(this);
    }
    if (this.#settled < this.#submitted) await new Promise<void>((resolve) => this.#allSettled.push(resolve));
    this.#wake?.();
  }

  settle(index: number, result: Result): void {
    if (this.#cancelled && result.ok) {
      result.release();
      result = new Unsolved(new JobError("cancelled", "The job was cancelled."), index, result.receipt);
    }
    this.#settled++;
    if (this.#unread) this.#drop(result);
    else this.#results.push(result);
    this.#wake?.();
    if (this.#settled === this.#submitted) for (const done of this.#allSettled.splice(0)) done();
  }

  #leaveUnread(): void {
    this.#unread = true;
    for (const result of this.#results.slice(this.#head)) this.#drop(result);
    this.#results = [];
    this.#head = 0;
  }

  async #feed(source: JobSource): Promise<void> {
    let payloads: Payload[] = [];
    let bytes = 0;
    let first = 0;
    let count = 0;
    const send = () => {
      if (payloads.length === 0 || this.#cancelled) return;
      this.#submitted += payloads.length;
      this.#host.submit(payloads, this, first);
      payloads = [];
      bytes = 0;
    };
    /** Whether it is time to send. A value that can not travel is a job without a solution; the others go on. */
    const add = (value: unknown): boolean => {
      const index = count++;
      let payload: Payload;
      try {
        payload = encodeContent(value);
      } catch (error) {
        send();
        this.#submitted++;
        this.settle(index, new Unsolved(unsendable(error), index, NEVER_SENT));
        return false;
      }
      // A large one goes alone: others need not wait for its upload.
      if (payload.bytes.length >= STREAM_BYTES) send();
      if (payloads.length === 0) first = index;
      payloads.push(payload);
      bytes += align(payload.bytes.length);
      return payloads.length >= CHUNK_JOBS || bytes >= CHUNK_BYTES;
    };
    const pause = async () => {
      send();
      // The first jobs are on their way to the nodes while the next are read.
      await this.#host.turn();
      await Promise.race([this.#host.room(), this.#whenCancelled]);
    };
    try {
      if (Symbol.iterator in source) {
        for (const value of source) {
          if (add(value)) await pause();
          if (this.#cancelled) break;
        }
      } else {
        // A slow source must not hold back what it has given already.
        let asked = false;
        for await (const value of source) {
          if (add(value)) await pause();
          else if (!asked) {
            asked = true;
            void this.#host.turn().then(() => {
              asked = false;
              send();
            });
          }
          if (this.#cancelled) break;
        }
      }
    } catch (error) {
      // What the source gave before it failed is sent all the same; then whoever reads the results gets its error.
      this.#sourceError = { error };
    }
    send();
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
        if (this.#sourceError !== undefined) throw this.#sourceError.error;
        return undefined;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }

  #drop(result: Result): void {
    if (result.ok) result.release();
    this.#taken(result);
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
