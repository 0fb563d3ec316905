// The streams of one client or node, over its link: uploads to the hub and fetches from it. They go on where a break left
// them when the link is back. What a stream is for is the layers' above.
import { FlockworkError, randomHex } from "../ids/index.js";
import type { MessageOf } from "./messages.js";
import { bytesSource, InStream, onceSource, OutStream, type StreamRoad } from "./stream.js";

type Outgoing = MessageOf<"open" | "chunk" | "end" | "fetch" | "grant" | "broken">;
type Incoming = MessageOf<"grant" | "kept" | "chunk" | "end" | "broken">;

/** What transfers need of their link. */
export interface TransferLink extends StreamRoad {
  readonly up: boolean;
  send(message: Outgoing): boolean;
}

/** Uploads that go on at the same time; the others wait. */
const AT_ONCE = 16;

/** An upload: what a `submit` or `solved` names it by, and when it may. */
export class Upload {
  /** Rejects when the source failed, the hub refused it, or the link has stopped for good. */
  readonly kept: Promise<void>;
  /** Whether the hub has all of it. */
  isKept = false;
  readonly id = randomHex(16);
  /** How many bytes it has, as far as that is known. */
  bytes: number | undefined;
  /** Called each time that the hub has been told of it: what names it may follow. */
  opened: (() => void) | undefined = undefined;
  #settle!: { resolve(): void; reject(error: unknown): void };

  constructor(
    /** Undefined: read once. */
    readonly whole: Uint8Array | undefined,
    readonly out: (upload: Upload) => OutStream,
  ) {
    this.bytes = whole?.length;
    this.kept = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.kept.catch(() => undefined);
  }

  arrived(bytes: number): void {
    this.bytes = bytes;
    this.isKept = true;
    this.#settle.resolve();
  }

  failed(error: unknown): void {
    this.#settle.reject(error);
  }
}

interface Fetch {
  readonly of: MessageOf<"fetch">["of"];
  readonly stream: InStream;
}

export class Transfers {
  readonly #link: TransferLink;
  readonly #uploads = new Map<string, { readonly upload: Upload; readonly out: OutStream }>();
  readonly #fetches = new Map<string, Fetch>();
  /** Uploads that wait for their turn. */
  #waitingUploads: Upload[] = [];
  #closed: FlockworkError | undefined = undefined;

  constructor(link: TransferLink) {
    this.#link = link;
  }

  /** Whether an upload is under way or waits. */
  get uploading(): boolean {
    return this.#uploads.size + this.#waitingUploads.length > 0;
  }

  /** Brings bytes to the hub; they must not change meanwhile. */
  upload(source: Uint8Array | AsyncIterable<Uint8Array>): Upload {
    const whole = source instanceof Uint8Array ? source : undefined;
    const streamed = source instanceof Uint8Array ? bytesSource(source) : onceSource(source);
    const upload = new Upload(
      whole,
      ({ id }) => new OutStream(id, streamed, (error) => this.#sourceFailed(id, error)),
    );
    this.#waitingUploads.push(upload);
    this.#nextUploads();
    return upload;
  }

  /** Whether the hub has been told of this upload, and has not got all of it yet. */
  isOpen({ id }: Upload): boolean {
    return this.#link.up && this.#uploads.has(id);
  }

  /** Nobody needs this upload any more. */
  cancel(upload: Upload): void {
    this.#waitingUploads = this.#waitingUploads.filter((other) => other !== upload);
    if (this.#uploads.has(upload.id)) this.#sourceFailed(upload.id, CANCELLED);
    else upload.failed(CANCELLED);
  }

  /** A payload of the hub's, as it comes; read it once. */
  async *fetch(of: Fetch["of"], bytes: number): AsyncGenerator<Uint8Array, void> {
    const id = randomHex(16);
    const stream = new InStream({
      maxBytes: bytes,
      grant: (have, upTo) => this.#link.send({ t: "grant", id, have, upTo }),
      left: () => this.#link.send({ t: "broken", id, code: CANCELLED.code, message: CANCELLED.message }),
    });
    const fetch = { of, stream };
    this.#fetches.set(id, fetch);
    if (this.#closed !== undefined) stream.fail(this.#closed);
    else if (this.#link.up) this.#ask(id, fetch);
    try {
      yield* stream;
    } finally {
      this.#fetches.delete(id);
    }
  }

  /** The link is up: everything goes on. */
  up(): void {
    for (const { upload } of this.#uploads.values()) this.#open(upload);
    for (const [id, fetch] of this.#fetches) if (!fetch.stream.complete) this.#ask(id, fetch);
  }

  /** The link is down: everything waits. */
  down(): void {
    for (const { out } of this.#uploads.values()) out.detach();
  }

  /** Takes a message about a stream. Returns the id of an upload that is over here and that the hub does not have. */
  receive(message: Incoming): string | undefined {
    const upload = this.#uploads.get(message.id);
    const fetch = this.#fetches.get(message.id);
    switch (message.t) {
      case "grant":
        if (upload?.out.attached) upload.out.granted(message.have, message.upTo);
        else upload?.out.attach(this.#link, message.have, message.upTo);
        break;
      case "kept":
        if (upload === undefined) break;
        this.#end(upload.upload, upload.out);
        upload.upload.arrived(message.bytes);
        break;
      case "chunk":
        if (fetch !== undefined) this.#guarded(fetch, () => fetch.stream.chunk(message.offset, message.data));
        break;
      case "end":
        if (fetch !== undefined) this.#guarded(fetch, () => fetch.stream.end(message.bytes));
        break;
      case "broken": {
        const error = new FlockworkError(message.code, message.message);
        fetch?.stream.fail(error);
        if (upload === undefined) return fetch === undefined ? message.id : undefined;
        this.#end(upload.upload, upload.out);
        upload.upload.failed(error);
        break;
      }
      default:
        message satisfies never;
    }
    return undefined;
  }

  /** Nothing more comes or goes. */
  close(error: FlockworkError): void {
    this.#closed = error;
    for (const upload of this.#waitingUploads.splice(0)) upload.failed(error);
    for (const { upload, out } of [...this.#uploads.values()]) {
      this.#end(upload, out);
      upload.failed(error);
    }
    for (const { stream } of this.#fetches.values()) stream.fail(error);
  }

  #nextUploads(): void {
    while (this.#uploads.size < AT_ONCE && this.#waitingUploads.length > 0) {
      const upload = this.#waitingUploads.shift() as Upload;
      this.#uploads.set(upload.id, { upload, out: upload.out(upload) });
      if (this.#link.up) this.#open(upload);
    }
  }

  #open({ id, bytes, opened }: Upload): void {
    this.#link.send({ t: "open", id, ...(bytes !== undefined && { bytes }) });
    opened?.();
  }

  #ask(id: string, { of, stream }: Fetch): void {
    this.#link.send({ t: "fetch", id, offset: stream.have, upTo: stream.upTo, of });
  }

  #end({ id }: Upload, out: OutStream): void {
    out.cancel();
    this.#uploads.delete(id);
    this.#nextUploads();
  }

  #sourceFailed(id: string, error: unknown): void {
    const known = this.#uploads.get(id);
    if (known === undefined) return;
    const { code, message } = error instanceof FlockworkError ? error : SOURCE_FAILED;
    this.#link.send({ t: "broken", id, code, message: message.slice(0, 4096) });
    this.#end(known.upload, known.out);
    known.upload.failed(error);
  }

  /** A hub that sends what does not fit ends that stream only. */
  #guarded({ stream }: Fetch, take: () => void): void {
    try {
      take();
    } catch (error) {
      stream.fail(error);
    }
  }
}

const CANCELLED = new FlockworkError("cancelled", "The stream is not wanted any more.");
const SOURCE_FAILED = new FlockworkError("service_error", "The source of the stream failed.");
