// One stream of bytes over a connection that may break: the sender's side and the receiver's. They know no socket and no
// clock; who speaks for which stream is for transfers.ts here and at the hub.
import { FlockworkError } from "../ids/index.js";
import { CHUNK_BYTES, returnChunk } from "./chunk-memory.js";
import type { MessageOf } from "./messages.js";

/** Payloads of this size and more travel as streams. */
export const STREAM_BYTES = 256 * 1024;
/** What a receiver lets come beyond what was read. */
export const WINDOW_BYTES = 4 * 1024 * 1024;
/** What may wait in a socket before a sender pauses, so that other messages need not wait for more. */
const AHEAD_BYTES = 1024 * 1024;

/** What a sender needs of its connection. */
export interface StreamRoad {
  /** Sends one message in a frame of its own. */
  sendAlone(message: MessageOf<"chunk"> | MessageOf<"end">): void;
  /** Bytes that have not left this process. */
  readonly bufferedAmount: number;
  /** Resolves when some of them may have left. */
  drained(): Promise<void>;
}

/** Where the bytes come from: something that can be read again from any offset, or only once. Both in chunks. */
export type StreamSource =
  | { readonly again: (offset: number) => AsyncIterable<Uint8Array> }
  | { readonly once: AsyncIterable<Uint8Array> };

/** The sender. It sends what was granted, and keeps what the receiver does not have where it can not be read again. */
export class OutStream {
  readonly #source: StreamSource;
  readonly #failed: (error: unknown) => void;
  #reader: AsyncIterator<Uint8Array> | undefined = undefined;
  /** What was read and is not known to be there, from `#from` on; stays empty where the source can be read again. */
  #kept: Uint8Array[] = [];
  #from = 0;
  /** Where the reader stands, and how long the stream is once that is known. */
  #read = 0;
  #total: number | undefined = undefined;
  #sent = 0;
  #endSent = false;
  #upTo = 0;
  #road: StreamRoad | undefined = undefined;
  #running = false;
  #over = false;

  /** `failed`: the source threw, or can not be read again from where the receiver wants it. */
  constructor(
    readonly id: string,
    source: StreamSource,
    failed: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#failed = failed;
  }

  /** Begins, or goes on over a new connection, with what the receiver has and lets come. */
  attach(road: StreamRoad, have: number, upTo: number): void {
    if (this.#over) return;
    if ("again" in this.#source) {
      this.#leaveReader();
      this.#read = have;
    } else if (have < this.#from || have > this.#read) {
      this.#fail(
        new FlockworkError(
          "stream_lost",
          `The receiver has ${have} bytes of a stream that can not be read again before byte ${this.#from}; send it anew.`,
        ),
      );
      return;
    }
    this.#road = road;
    this.#sent = have;
    this.#endSent = false;
    this.#upTo = upTo;
    this.#forget(have);
    void this.#run();
  }

  /** The connection is gone. */
  detach(): void {
    this.#road = undefined;
  }

  get attached(): boolean {
    return this.#road !== undefined;
  }

  /** The receiver has all below `have` and lets come what lies below `upTo`. */
  granted(have: number, upTo: number): void {
    this.#upTo = Math.max(this.#upTo, upTo);
    this.#forget(Math.min(have, this.#sent));
    void this.#run();
  }

  /** Sends nothing more; the source is told. */
  cancel(): void {
    this.#over = true;
    this.#road = undefined;
    this.#kept = [];
    this.#leaveReader();
  }

  #fail(error: unknown): void {
    this.cancel();
    this.#failed(error);
  }

  #leaveReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    // Not awaited, and whatever it says now is of no use to anybody.
    reader?.return?.().then(undefined, () => undefined);
  }

  #forget(have: number): void {
    while (this.#kept.length > 0 && this.#from + this.#kept[0]!.length <= have)
      this.#from += this.#kept.shift()!.length;
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#road !== undefined && (await this.#step(this.#road)));
    } catch (error) {
      if (!this.#over) this.#fail(error);
    } finally {
      this.#running = false;
    }
  }

  /** Sends the next chunk. False when there is nothing to do until the receiver or the connection says more. */
  async #step(road: StreamRoad): Promise<boolean> {
    if (this.#sent === this.#total) {
      if (!this.#endSent) road.sendAlone({ t: "end", id: this.id, bytes: this.#total });
      this.#endSent = true;
      return false;
    }
    // Past the grant only the end may be looked for, of which the sender learns by reading.
    if (this.#sent >= this.#upTo && this.#sent < this.#read) return false;
    if (road.bufferedAmount > AHEAD_BYTES) {
      await road.drained();
      return true;
    }
    if (this.#sent === this.#read && !(await this.#readMore())) return true;
    if (this.#road !== road) return true;
    if (this.#sent >= this.#upTo) return false;
    const data = this.#at(this.#sent).subarray(0, this.#upTo - this.#sent);
    road.sendAlone({ t: "chunk", id: this.id, offset: this.#sent, data });
    this.#sent += data.length;
    if ("again" in this.#source) this.#forget(this.#sent);
    return true;
  }

  /** Reads one chunk more. False when the source has ended, or was left meanwhile. */
  async #readMore(): Promise<boolean> {
    const source = this.#source;
    if (this.#reader === undefined) {
      this.#kept = [];
      this.#from = this.#read;
      const iterable = "again" in source ? source.again(this.#read) : source.once;
      this.#reader = iterable[Symbol.asyncIterator]();
    }
    const reader = this.#reader;
    const { done, value } = await reader.next();
    if (this.#reader !== reader) return false;
    if (done) {
      this.#total = this.#read;
      return false;
    }
    if (value.length === 0) return false;
    this.#kept.push(value);
    this.#read += value.length;
    return true;
  }

  /** What was kept, from this offset to the end of its chunk. */
  #at(offset: number): Uint8Array {
    let at = this.#from;
    for (const chunk of this.#kept) {
      if (offset < at + chunk.length) return chunk.subarray(offset - at);
      at += chunk.length;
    }
    throw new Error(`byte ${offset} of a stream is not there any more`);
  }
}

export interface InStreamOptions {
  /** Tells the sender how far it may go. */
  grant(have: number, upTo: number): void;
  /** The reader has left before the end. */
  left?(): void;
  /** More bytes than this are refused. */
  readonly maxBytes: number;
  /** Where the stream begins. */
  readonly from?: number;
}

/** The receiver: iterate it once. What was read makes room for more. */
export class InStream implements AsyncIterable<Uint8Array> {
  readonly #options: InStreamOptions;
  #queue: Uint8Array[] = [];
  #have: number;
  #consumed: number;
  #upTo: number;
  #ended = false;
  #error: { readonly error: unknown } | undefined = undefined;
  #wake: (() => void) | undefined = undefined;

  constructor(options: InStreamOptions) {
    this.#options = options;
    this.#have = this.#consumed = options.from ?? 0;
    this.#upTo = this.#have + WINDOW_BYTES;
  }

  /** All below is here. */
  get have(): number {
    return this.#have;
  }

  /** What lies below may be sent. */
  get upTo(): number {
    return this.#upTo;
  }

  /** All of it has come. */
  get complete(): boolean {
    return this.#ended;
  }

  /** Takes a chunk. What came before is dropped. Throws `bad_message` for one that leaves a hole or was not granted. */
  chunk(offset: number, data: Uint8Array): void {
    if (this.#ended || this.#error !== undefined) return;
    const end = offset + data.length;
    if (offset > this.#have || end > this.#upTo)
      throw new FlockworkError(
        "bad_message",
        `A chunk of bytes ${offset} to ${end} came where ${this.#have} to ${this.#upTo} were expected.`,
      );
    if (end <= this.#have) return;
    if (end > this.#options.maxBytes)
      throw new FlockworkError(
        "too_large",
        `A stream of more than ${this.#options.maxBytes} bytes is over the limit; split it into several jobs.`,
      );
    this.#queue.push(data.subarray(this.#have - offset));
    this.#have = end;
    this.#wake?.();
  }

  /** The sender has sent all. Throws `bad_message` when that is not what came. */
  end(bytes: number): void {
    if (this.#error !== undefined) return;
    if (bytes !== this.#have)
      throw new FlockworkError("bad_message", `A stream of ${bytes} bytes ended after ${this.#have}.`);
    this.#ended = true;
    this.#wake?.();
  }

  /** Whoever reads gets this error. */
  fail(error: unknown): void {
    if (this.#error !== undefined || (this.#ended && this.#queue.length === 0)) return;
    this.#error = { error };
    this.#queue = [];
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        if (this.#error !== undefined) throw this.#error.error;
        const data = this.#queue.shift();
        if (data !== undefined) {
          yield data;
          this.#consume(data.length);
        } else if (this.#ended) return;
        else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          this.#wake = undefined;
        }
      }
    } finally {
      if (!(this.#ended && this.#queue.length === 0) && this.#error === undefined) this.#options.left?.();
    }
  }

  #consume(bytes: number): void {
    this.#consumed += bytes;
    const upTo = this.#consumed + WINDOW_BYTES;
    if (this.#ended || upTo - this.#upTo < WINDOW_BYTES / 4) return;
    this.#upTo = upTo;
    this.#options.grant(this.#have, upTo);
  }
}

/** A source that can be read again: bytes in memory, which must not change meanwhile. */
export function bytesSource(bytes: Uint8Array): StreamSource {
  return {
    again: async function* (offset) {
      for (let at = offset; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    },
  };
}

/** A source that can be read once, gathered into chunks of its own. */
export function onceSource(pieces: AsyncIterable<Uint8Array>): StreamSource {
  return { once: gathered(pieces) };
}

async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  for await (const piece of pieces) {
    if (!(piece instanceof Uint8Array))
      throw new FlockworkError(
        "bad_argument",
        `A stream gives Uint8Arrays, this one gave a ${typeof piece}; encode it first.`,
      );
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + CHUNK_BYTES - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < CHUNK_BYTES) continue;
      yield chunk;
      chunk = new Uint8Array(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

/** The bytes of a stream whose length is known, in one piece. */
export async function readStream(pieces: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for await (const piece of pieces) {
    if (at + piece.length > bytes) break;
    whole.set(piece, at);
    at += piece.length;
    returnChunk(piece);
  }
  if (at !== bytes)
    throw new FlockworkError("bad_message", `A stream of ${bytes} bytes ended after ${at}, or did not end.`);
  return whole;
}
