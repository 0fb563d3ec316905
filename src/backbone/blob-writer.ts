// Feeds the blob thread: cuts sources into chunks, keeps a few of them under way, and gives each put its result.
// The event loop pays one copy of the bytes; hashing and disk are the thread's.

import { Worker } from "node:worker_threads";
import { FlockworkError, randomHex, type BlobHash } from "../ids/index.js";
import { closedError } from "./arguments.js";
import type { BlobInfo } from "./backbone.js";
import { piecesOf, type BlobSource } from "./blob-source.js";
import { BLOB_THREAD, type FromThread, type ThreadData, type ToThread } from "./blob-thread.js";

const CHUNK_BYTES = 256 * 2 ** 10;
/** Chunks of one put between the event loop and the thread: enough that neither waits for the other. */
const CHUNKS_UNDER_WAY = 4;
/** A put whose source has given nothing for this long holds no memory and no open file, for sources may wait for minutes. */
const IDLE_MS = 1000;

export class BlobWriter {
  readonly #data: ThreadData;
  readonly #tempFolder: string;
  readonly #puts = new Map<number, Put>();
  #worker: Worker | undefined;
  #lastPut = 0;
  #closed = false;

  constructor(data: ThreadData, tempFolder: string) {
    this.#data = data;
    this.#tempFolder = tempFolder;
  }

  async write(source: BlobSource): Promise<BlobInfo> {
    if (this.#closed) throw closedError();
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastPut;
    const put = new Put(id, `${this.#tempFolder}/${randomHex(12)}`, worker);
    this.#puts.set(id, put);
    worker.ref();
    try {
      await Promise.race([put.feed(source), put.ended]);
      return await put.ended;
    } catch (error) {
      await put.abort();
      throw error;
    } finally {
      this.#puts.delete(id);
      if (this.#puts.size === 0) worker.unref();
    }
  }

  /** Gives up what is under way; the thread removes the unfinished files before it ends. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (!worker) return;
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    for (const put of this.#puts.values()) put.fail(closedError());
    worker.ref();
    worker.postMessage({ stop: true } satisfies ToThread);
    await exited;
  }

  #start(): Worker {
    const worker = new Worker(BLOB_THREAD, {
      eval: true,
      execArgv: [],
      workerData: this.#data,
      name: "blobs",
    });
    worker.unref();
    worker.on("message", (message: FromThread) => this.#puts.get(message.put)?.receive(message));
    const gone = (error: Error): void => {
      if (this.#worker === worker) this.#worker = undefined; // the next put starts another
      for (const put of this.#puts.values()) put.fail(error);
    };
    worker.on("error", gone);
    worker.on("exit", () => gone(new FlockworkError("internal", "the thread that writes blobs has ended")));
    return worker;
  }
}

/** One put on its way through the thread. */
class Put {
  readonly ended: Promise<BlobInfo>;
  readonly #free: ArrayBuffer[] = [];
  #allocated = 0;
  /** The chunk that is being filled, how far it is, and whether the thread knows of this put. */
  #filling: ArrayBuffer | undefined;
  #filled = 0;
  #begun = false;
  #wake: (() => void) | undefined;
  #finish!: (info: BlobInfo) => void;
  #fail!: (error: unknown) => void;
  #over = false;
  #aborted: (() => void) | undefined;

  constructor(
    readonly id: number,
    readonly temp: string,
    readonly worker: Worker,
  ) {
    this.ended = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  async feed(source: BlobSource): Promise<void> {
    const idle = setTimeout(() => this.#rest(), IDLE_MS).unref();
    try {
      for await (const piece of piecesOf(source, CHUNK_BYTES)) {
        for (let at = 0; at < piece.length;) {
          if (this.#filled === CHUNK_BYTES) this.#send(false);
          this.#filling ??= await this.#buffer();
          if (this.#over) return;
          const part = piece.subarray(at, at + CHUNK_BYTES - this.#filled);
          new Uint8Array(this.#filling, this.#filled).set(part);
          this.#filled += part.length;
          at += part.length;
        }
        idle.refresh();
      }
    } finally {
      clearTimeout(idle);
    }
    this.#filling ??= new ArrayBuffer(0);
    if (!this.#over) this.#send(true);
  }

  /** Gives the thread what is being filled. */
  #send(last: boolean, idle = false): void {
    const buffer = this.#filling!;
    const temp = this.#begun ? {} : { temp: this.temp };
    const message: ToThread = { put: this.id, ...temp, buffer, length: this.#filled, last, idle };
    this.worker.postMessage(message, [buffer]);
    this.#begun = true;
    this.#filling = undefined;
    this.#filled = 0;
  }

  /** The source makes a pause: what it has given goes to the file, and the memory is let go of. */
  #rest(): void {
    if (this.#over) return;
    if (this.#filling !== undefined) {
      this.#send(false, true);
      this.#allocated--;
    }
    this.#allocated -= this.#free.length;
    this.#free.length = 0;
  }

  receive(message: FromThread): void {
    if ("buffer" in message) this.#free.push(message.buffer);
    else if ("hash" in message) this.#finish({ hash: message.hash as BlobHash, bytes: message.bytes });
    else if ("error" in message)
      this.fail(Object.assign(new Error(message.error.message), { code: message.error.code }));
    else this.#aborted?.();
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#over = true;
    this.#fail(error);
    this.#wake?.();
    this.#aborted?.();
  }

  /** Resolves when the thread has removed what it had written. */
  async abort(): Promise<void> {
    this.ended.catch(() => undefined); // reported already, or replaced by the error of the source
    if (this.#over) return;
    this.#over = true;
    const aborted = new Promise<void>((resolve) => (this.#aborted = resolve));
    this.worker.postMessage({ put: this.id, abort: true } satisfies ToThread);
    await aborted;
  }

  async #buffer(): Promise<ArrayBuffer> {
    while (!this.#over) {
      const free = this.#free.pop();
      if (free) return free;
      if (this.#allocated < CHUNKS_UNDER_WAY) {
        this.#allocated++;
        return new ArrayBuffer(CHUNK_BYTES);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return new ArrayBuffer(CHUNK_BYTES);
  }
}
