// Streams at the hub: uploads of clients and nodes on their way into blobs, and blobs on their way to who may fetch them.
// An upload survives a broken link for a while; once stored it waits for the submit or the answer that names it.
import type { Logger } from "pino";
import { FlockworkError } from "../ids/index.js";
import { InStream, OutStream, type MessageOf } from "../wire/index.js";
import type { BlobPayloads } from "./blob-payloads.js";
import type { HubLimits } from "./limits.js";
import type { Peer } from "./peer.js";
import type { BlobPayload } from "./jobs.js";
import { Upload, type UploadWatcher } from "./upload.js";

/** Whose an upload is: a client's session or a node, whichever connection they have now. */
export interface StreamOwner {
  readonly peer: Peer | undefined;
}

type StreamMessage = MessageOf<"open" | "chunk" | "grant" | "end" | "broken">;

interface Fetch {
  readonly out: OutStream;
  /** The blob need not be held any more. */
  readonly done: () => void;
}

/** What is sent to whoever fetches it. */
export interface Served {
  readonly bytes: number;
  open(from: number): AsyncIterable<Uint8Array>;
  done(): void;
}

interface Uploads {
  readonly byId: Map<string, Upload>;
  /** Bytes of those that are stored and not claimed. */
  kept: number;
  /** When its owner was first seen without a connection, as performance.now(). */
  awaySince: number | undefined;
}

/** The largest payload. */
const MAX_UPLOAD_BYTES = 1024 ** 3;
/** How long the uploads of an owner who is away are kept. */
const AWAY_MS = 60_000;

export class Transfers {
  readonly #log: Logger;
  readonly #blobs: BlobPayloads;
  readonly #limits: HubLimits;
  readonly #uploads = new Map<StreamOwner, Uploads>();
  readonly #fetches = new Map<Peer, Map<string, Fetch>>();

  constructor(blobs: BlobPayloads, limits: HubLimits, log: Logger) {
    this.#log = log;
    this.#blobs = blobs;
    this.#limits = limits;
  }

  message(owner: StreamOwner, peer: Peer, message: StreamMessage): void {
    switch (message.t) {
      case "open":
        this.#open(owner, message);
        break;
      case "chunk":
        this.#take(owner, message.id, (upload) => {
          upload.stream.chunk(message.offset, message.data);
          this.#checkHeld(owner);
          upload.came();
        });
        break;
      case "end":
        this.#take(owner, message.id, ({ stream }) => stream.end(message.bytes));
        break;
      case "grant":
        this.#fetches.get(peer)?.get(message.id)?.out.granted(message.have, message.upTo);
        break;
      case "broken":
        this.#endFetch(peer, message.id);
        this.#drop(owner, message.id, new FlockworkError(message.code, message.message));
        break;
      default:
        message satisfies never;
    }
  }

  /** Sends a blob to a peer that may have it. */
  fetch(peer: Peer, message: MessageOf<"fetch">, { hash, bytes }: BlobPayload): void {
    // Held: whoever has the payload may let go of it while it is being sent.
    const release = this.#blobs.hold(hash);
    // What was sent may not have left yet, and its bytes are the blob's own.
    const done = () => void peer.left().then(release);
    try {
      this.serve(peer, message, { bytes, open: (from) => this.#blobs.open(hash, from), done });
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Sends bytes that can be read again from anywhere; `done` says that they need not be held any more. */
  serve(peer: Peer, { id, offset, upTo }: MessageOf<"fetch">, { bytes, open, done }: Served): void {
    if (offset > bytes) throw new FlockworkError("bad_message", `The payload has ${bytes} bytes.`);
    const ofPeer = this.#fetches.get(peer) ?? new Map<string, Fetch>();
    this.#fetches.set(peer, ofPeer);
    if (ofPeer.has(id)) throw new FlockworkError("bad_message", `Stream ${id} is being fetched already.`);
    if (ofPeer.size >= this.#limits.streamsPerPeer) throw this.#tooMany(ofPeer.size);
    const out = new OutStream(id, { again: open }, (error) => {
      done();
      ofPeer.delete(id);
      const { code, message } = this.#known(error);
      peer.send({ t: "broken", id, code, message: message.slice(0, 4096) });
    });
    ofPeer.set(id, { out, done });
    const road = {
      get bufferedAmount() {
        return peer.bufferedAmount;
      },
      drained: () => peer.drained(),
      sendAlone: (message: MessageOf<"chunk"> | MessageOf<"end">) => {
        peer.sendAlone(message);
        if (message.t !== "end") return;
        done();
        ofPeer.delete(id);
      },
    };
    out.attach(road, offset, upTo);
  }

  /** Whether an upload is under way. */
  underWay(owner: StreamOwner, id: string): boolean {
    const upload = this.#uploads.get(owner)?.byId.get(id);
    return upload !== undefined && upload.blob === undefined;
  }

  /** Watches an upload that is under way, in the place of who did before. */
  watch(owner: StreamOwner, id: string, watcher: UploadWatcher): void {
    this.#uploads.get(owner)?.byId.get(id)?.watch(watcher);
  }

  /** A stored upload, for the record that names it: from here on the caller counts it. Throws `stream_lost`. */
  claim(owner: StreamOwner, id: string): BlobPayload {
    const uploads = this.#uploads.get(owner);
    const blob = uploads?.byId.get(id)?.blob;
    if (uploads === undefined || blob === undefined)
      throw new FlockworkError("stream_lost", `The hub has no upload ${id} (any more); send it again.`);
    uploads.byId.delete(id);
    uploads.kept -= blob.bytes;
    return blob;
  }

  /** A connection is gone: what it fetched it asks for again on its next one. */
  closed(peer: Peer): void {
    for (const id of this.#fetches.get(peer)?.keys() ?? []) this.#endFetch(peer, id);
    this.#fetches.delete(peer);
  }

  /** Gives up the uploads of owners who stay away, and of the first of them when they are many. `now` as performance.now(). */
  sweep(now: number): void {
    const away: [StreamOwner, Uploads][] = [];
    for (const [owner, uploads] of this.#uploads) {
      if (uploads.byId.size === 0) this.#uploads.delete(owner);
      else if (owner.peer !== undefined) uploads.awaySince = undefined;
      else if (now - (uploads.awaySince ??= now) > AWAY_MS) this.forget(owner);
      else away.push([owner, uploads]);
    }
    let kept = away.reduce((sum, [, uploads]) => sum + uploads.byId.size, 0);
    away.sort(([, a], [, b]) => a.awaySince! - b.awaySince!);
    for (const [owner, uploads] of away) {
      if (kept <= this.#limits.awayUploads) break;
      kept -= uploads.byId.size;
      this.forget(owner);
    }
  }

  /** The owner does not come back. */
  forget(owner: StreamOwner): void {
    for (const id of [...(this.#uploads.get(owner)?.byId.keys() ?? [])]) this.#drop(owner, id, GONE);
    this.#uploads.delete(owner);
  }

  #open(owner: StreamOwner, { id, bytes = 0 }: MessageOf<"open">): void {
    const uploads = this.#uploads.get(owner) ?? { byId: new Map(), kept: 0, awaySince: undefined };
    this.#uploads.set(owner, uploads);
    const known = uploads.byId.get(id);
    if (known?.blob !== undefined) this.#tellKept(owner, id, known.blob);
    else if (known !== undefined) {
      known.reopened();
      owner.peer?.send({ t: "grant", id, have: known.stream.have, upTo: known.stream.upTo });
    } else {
      const refused = this.#refusal(owner, uploads, bytes);
      if (refused !== undefined) {
        owner.peer?.send({ t: "broken", id, code: refused.code, message: refused.message });
        return;
      }
      const stream = new InStream({
        maxBytes: MAX_UPLOAD_BYTES,
        grant: (have, upTo) => owner.peer?.send({ t: "grant", id, have, upTo }),
      });
      const upload = new Upload(id, stream, bytes);
      uploads.byId.set(id, upload);
      void this.#store(owner, uploads, upload);
      owner.peer?.send({ t: "grant", id, have: 0, upTo: stream.upTo });
    }
  }

  #refusal(owner: StreamOwner, uploads: Uploads, bytes: number): FlockworkError | undefined {
    if (bytes > MAX_UPLOAD_BYTES)
      return new FlockworkError(
        "too_large",
        `A payload of ${bytes} bytes is over the limit of ${MAX_UPLOAD_BYTES} (1 GiB); split it into several jobs.`,
      );
    if (uploads.byId.size >= this.#limits.streamsPerPeer) return this.#tooMany(uploads.byId.size);
    try {
      this.#checkHeld(owner, bytes);
      return undefined;
    } catch (error) {
      return error as FlockworkError;
    }
  }

  /** Throws `limit` when an owner would have uploaded too much that nothing names yet. */
  #checkHeld(owner: StreamOwner, more = 0): void {
    const uploads = this.#uploads.get(owner);
    let held = uploads?.kept ?? 0;
    for (const { stream, blob } of uploads?.byId.values() ?? []) if (blob === undefined) held += stream.have;
    const { bytesPerNode, bytesPerSession } = this.#limits;
    const limit = owner.peer?.hello?.role === "node" ? bytesPerNode : bytesPerSession;
    if (held + more > limit)
      throw new FlockworkError(
        "limit",
        `${held} bytes were uploaded that no job or answer names; the limit is ${limit}.`,
      );
  }

  #tooMany(streams: number): FlockworkError {
    return new FlockworkError(
      "limit",
      `${streams} streams are under way, which is the limit; begin others when they have ended.`,
    );
  }

  async #store(owner: StreamOwner, uploads: Uploads, upload: Upload): Promise<void> {
    try {
      const { hash, bytes } = await this.#blobs.put(
        upload.stream,
        upload.expected,
        (name) => (upload.name = name),
      );
      if (uploads.byId.get(upload.id) !== upload) {
        this.#blobs.releaseAll([[0, hash, bytes]]);
        return;
      }
      upload.blob = { hash, bytes };
      uploads.kept += bytes;
      this.#tellKept(owner, upload.id, upload.blob);
      upload.settled(true);
    } catch (error) {
      if (uploads.byId.get(upload.id) !== upload) return;
      uploads.byId.delete(upload.id);
      upload.settled(false);
      const { code, message } = this.#known(error);
      owner.peer?.send({ t: "broken", id: upload.id, code, message: message.slice(0, 4096) });
    }
  }

  #tellKept(owner: StreamOwner, id: string, { hash, bytes }: BlobPayload): void {
    owner.peer?.send({ t: "kept", id, bytes, ...(!this.#blobs.holds(hash) && { hash }) });
  }

  /** What does not fit ends the stream; what comes for one that has ended was on its way. */
  #take(owner: StreamOwner, id: string, take: (upload: Upload) => void): void {
    const upload = this.#uploads.get(owner)?.byId.get(id);
    if (upload === undefined) return;
    try {
      take(upload);
    } catch (error) {
      upload.stream.fail(error);
    }
  }

  #drop(owner: StreamOwner, id: string, error: FlockworkError): void {
    const uploads = this.#uploads.get(owner);
    const upload = uploads?.byId.get(id);
    if (uploads === undefined || upload === undefined) return;
    uploads.byId.delete(id);
    if (upload.blob === undefined) {
      upload.settled(false);
      upload.stream.fail(error);
    } else {
      uploads.kept -= upload.blob.bytes;
      this.#blobs.releaseAll([[0, upload.blob.hash, upload.blob.bytes]]);
    }
  }

  #endFetch(peer: Peer, id: string): void {
    const ofPeer = this.#fetches.get(peer);
    const fetch = ofPeer?.get(id);
    if (ofPeer === undefined || fetch === undefined) return;
    ofPeer.delete(id);
    fetch.out.cancel();
    fetch.done();
  }

  #known(error: unknown): FlockworkError {
    if (error instanceof FlockworkError) return error;
    this.#log.error({ err: error }, "a stream met a bug");
    return UNREADABLE;
  }
}

const GONE = new FlockworkError("closed", "Whoever sent this stream has gone.");
const UNREADABLE = new FlockworkError(
  "internal",
  "The hub can not read or store this payload; its log has more.",
);
