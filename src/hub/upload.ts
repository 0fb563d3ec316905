// One upload at the hub, on its way into a blob, and how near its end seems to be.
import type { InStream } from "../wire/index.js";
import type { BlobPayload } from "./jobs.js";

/** Who waits for an upload that is under way. */
export interface UploadWatcher {
  /** The rest of it should be here shortly, and what is here can be read under this name. Called at most once. */
  soon(name: string, bytes: number): void;
  /** It is stored and can be claimed, or it will never be. */
  settled(stored: boolean): void;
}

/** A payload whose rest comes within this long, at the rate so far, need not be waited for: no node waits for it for long. */
const SOON_MS = 250;
/** What must have come on this connection before that can be said. */
const TELLING_BYTES = 512 * 1024;

export class Upload {
  /** What of it is here can be read under this name, where there is one. */
  name: string | undefined = undefined;
  /** Set once it is stored. */
  blob: BlobPayload | undefined = undefined;
  #watcher: UploadWatcher | undefined = undefined;
  #told = false;
  /** When its first bytes came on this connection, as performance.now(), and how many were here then. */
  #first: { readonly at: number; readonly bytes: number } | undefined = undefined;

  constructor(
    readonly id: string,
    readonly stream: InStream,
    /** How many bytes it was said to have; 0: not known. */
    readonly expected: number,
  ) {}

  /** Watches it in the place of who did before. */
  watch(watcher: UploadWatcher): void {
    this.#watcher = watcher;
    this.#told = false;
    this.#tell();
  }

  /** It goes on over another connection. */
  reopened(): void {
    this.#first = undefined;
  }

  /** More of it is here. */
  came(): void {
    this.#first ??= { at: performance.now(), bytes: this.stream.have };
    this.#tell();
  }

  settled(stored: boolean): void {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    watcher?.settled(stored);
  }

  #tell(): void {
    if (this.#watcher === undefined || this.#told || this.name === undefined || !this.#isNear()) return;
    this.#told = true;
    this.#watcher.soon(this.name, this.expected);
  }

  #isNear(): boolean {
    if (this.#first === undefined) return false;
    const { have } = this.stream;
    const came = have - this.#first.bytes;
    const ms = performance.now() - this.#first.at;
    return came >= TELLING_BYTES && (this.expected - have) * ms <= came * SOON_MS;
  }
}
