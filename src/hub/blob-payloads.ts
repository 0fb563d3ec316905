// Large payloads leave the columns and become blobs, so that neither the journal nor memory holds them. Counts who needs
// each blob, and deletes it with the last.
import type { BlobInfo, Blobs } from "../backbone/index.js";
import { FlockworkError, type BlobHash } from "../ids/index.js";
import { align, CHUNK_BYTES, readStream, returnChunk, type PayloadColumns } from "../wire/index.js";
import type { Growing, HeldPayloads } from "./held-payloads.js";
import type { Segment } from "./jobs.js";

export type BlobColumn = readonly (readonly [index: number, hash: string, bytes: number])[];
export type StoredColumns = PayloadColumns & { readonly blobs?: BlobColumn | undefined };

export class BlobPayloads {
  readonly #blobs: Blobs;
  readonly #limit: number;
  readonly #held: HeldPayloads | undefined;
  readonly #lasting: boolean;
  readonly #counts = new Map<string, number>();
  readonly #unneeded = new Set<string>();
  #puts = 0;
  #deleting: Promise<void> | undefined = undefined;

  /**
   * Payloads of `limit` bytes and more are stored as blobs. Memory that is `held` has them while they
   * come, and keeps them in their place, as long as there is room, unless they are to be `lasting`.
   */
  constructor(blobs: Blobs, limit: number, held?: HeldPayloads, lasting = false) {
    this.#held = held;
    this.#lasting = lasting;
    this.#blobs = blobs;
    this.#limit = limit;
  }

  hasLarge(lengths: Uint32Array): boolean {
    for (let i = 0; i < lengths.length; i++) if (lengths[i]! >= this.#limit) return true;
    return false;
  }

  /** Columns with the large payloads stored aside, each counted once. Rejects with `storage_full` when the disk refuses. */
  async store(columns: PayloadColumns): Promise<StoredColumns> {
    const { kinds, lengths, data } = columns;
    if (!this.hasLarge(lengths)) return { kinds, lengths, data };
    const blobs: [number, BlobHash, number][] = [];
    const small: Uint8Array[] = [];
    const kept = lengths.slice();
    // A delete that has begun must not take away what this put finds in place.
    while (this.#deleting !== undefined) await this.#deleting;
    this.#puts++;
    try {
      for (let i = 0, at = 0; i < lengths.length; i++) {
        const length = lengths[i]!;
        const bytes = data.subarray(at, at + align(length));
        at += align(length);
        if (length < this.#limit) {
          small.push(bytes);
          continue;
        }
        const { hash } = await this.#blobs.put(bytes.subarray(0, length));
        blobs.push([i, hash, length]);
        this.#retain(hash);
        kept[i] = 0;
      }
    } catch (error) {
      for (const [, hash] of blobs) this.#drop(hash);
      throw error;
    } finally {
      this.#puts--;
      this.#sweep();
    }
    const rest = new Uint8Array(small.reduce((sum, bytes) => sum + bytes.length, 0));
    let at = 0;
    for (const bytes of small) {
      rest.set(bytes, at);
      at += bytes.length;
    }
    return { kinds, lengths: kept, data: rest, blobs };
  }

  /**
   * Stores one payload as it comes, counted once; `expected` bytes, as far as that is known. `growing` is told the name under
   * which it can be read until it is stored, where there is one. Rejects with `storage_full`, or with what its source threw.
   */
  async put(
    source: AsyncIterable<Uint8Array>,
    expected = 0,
    growing?: (name: string) => void,
  ): Promise<BlobInfo> {
    const grown = growing && this.#held?.grow(expected);
    if (grown === undefined || this.#held === undefined) return this.#put(source, expected);
    const { name } = grown;
    this.#retain(name);
    growing?.(name);
    try {
      if (this.#lasting) return await this.#storeGrowing(source, grown, this.#held);
      await receive(source, grown);
      this.#retain(name);
      return { hash: name as BlobHash, bytes: expected };
    } finally {
      this.#drop(name);
    }
  }

  /** The store follows what is in memory, so that neither who sends nor who reads waits for the disk. */
  async #storeGrowing(
    source: AsyncIterable<Uint8Array>,
    grown: Growing,
    held: HeldPayloads,
  ): Promise<BlobInfo> {
    const stored = this.#store(held.read(grown.name, 0, Infinity, true));
    const received = receive(source, grown);
    received.catch((error: unknown) => held.breakReaders(grown.name, error, true));
    // A store that has failed reads no more, and then the rest need not come.
    const [info] = await Promise.all([stored, received]);
    return info;
  }

  async #put(source: AsyncIterable<Uint8Array>, expected: number): Promise<BlobInfo> {
    if (!this.#lasting && this.#held?.fits(expected)) {
      const holding = await this.#held.hold(source);
      if ("hash" in holding) {
        this.#retain(holding.hash);
        return { hash: holding.hash as BlobHash, bytes: holding.bytes };
      }
      source = holding.rest;
    }
    return this.#store(source);
  }

  async #store(source: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    while (this.#deleting !== undefined) await this.#deleting;
    this.#puts++;
    try {
      const info = await this.#blobs.put(returned(source));
      this.#retain(info.hash);
      return info;
    } finally {
      this.#puts--;
      this.#sweep();
    }
  }

  /** Whoever waits for more of a payload that is still coming gets this error. */
  breakReaders(name: string, error: unknown): void {
    this.#held?.breakReaders(name, error);
  }

  /** The bytes of a blob from `start` on, up to `end`. */
  async *open(hash: string, start: number, end?: number): AsyncGenerator<Uint8Array, void> {
    if (this.#held !== undefined && this.holds(hash)) {
      yield* this.#held.read(hash, start, end);
      return;
    }
    const content = await this.#blobs.get(hash as BlobHash, { start, ...(end !== undefined && { end }) });
    if (content === undefined) throw notThere(hash);
    for await (const piece of content)
      for (let at = 0; at < piece.length; at += CHUNK_BYTES) yield piece.subarray(at, at + CHUNK_BYTES);
  }

  /** Keeps a blob that is being read; the function gives it free. */
  hold(hash: string): () => void {
    this.#retain(hash);
    let held = true;
    return () => {
      if (held) this.#drop(hash);
      held = false;
    };
  }

  /** Whether some payload lies in this blob. */
  has(hash: string): boolean {
    return this.#counts.has(hash);
  }

  async sizeOf(hash: string): Promise<number> {
    const held = this.#held?.sizeOf(hash);
    if (held !== undefined) return held;
    const content = await this.#blobs.get(hash as BlobHash, { end: 0 });
    if (content === undefined) throw notThere(hash);
    return content.size;
  }

  /** Whether a payload is held in memory: its name is not its SHA-256 then. */
  holds(hash: string): boolean {
    return this.#held?.sizeOf(hash) !== undefined;
  }

  async read(hash: string): Promise<Uint8Array> {
    return readStream(this.open(hash, 0), await this.sizeOf(hash));
  }

  /** Counts one payload of a segment that a replay made. */
  retainOne(segment: Segment, index: number): void {
    const blob = segment.blobs?.get(index);
    if (blob !== undefined) this.#retain(blob.hash);
  }

  /** Gives up one payload of a segment. */
  release(segment: Segment, index: number): void {
    const blob = segment.blobs?.get(index);
    if (blob !== undefined) this.#drop(blob.hash);
  }

  /** Gives up every payload of columns whose record was not written. */
  releaseAll(blobs: BlobColumn = []): void {
    for (const [, hash] of blobs) this.#drop(hash);
  }

  /** Deletes blobs that no record names: left by a hub that died between the blob and its record. */
  async deleteOrphans(): Promise<void> {
    for await (const { hash } of this.#blobs.list())
      if (!this.#counts.has(hash)) await this.#blobs.delete(hash);
  }

  #retain(hash: string): void {
    this.#counts.set(hash, (this.#counts.get(hash) ?? 0) + 1);
    this.#unneeded.delete(hash);
  }

  #drop(hash: string): void {
    const left = (this.#counts.get(hash) ?? 0) - 1;
    if (left > 0) {
      this.#counts.set(hash, left);
      return;
    }
    this.#counts.delete(hash);
    if (this.#held?.delete(hash)) return;
    this.#unneeded.add(hash);
    this.#sweep();
  }

  #sweep(): void {
    if (this.#puts > 0 || this.#deleting !== undefined || this.#unneeded.size === 0) return;
    const hashes = [...this.#unneeded];
    this.#unneeded.clear();
    this.#deleting = Promise.allSettled(hashes.map((hash) => this.#blobs.delete(hash as BlobHash))).then(
      () => {
        this.#deleting = undefined;
        this.#sweep();
      },
    );
  }
}

/** The store copies what it is given before it asks for more. */
async function* returned(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    yield chunk;
    returnChunk(chunk);
  }
}

/** Brings all of a source into memory. Rejects with `bad_message` where that is not what it was said to be. */
async function receive(source: AsyncIterable<Uint8Array>, { bytes, add }: Growing): Promise<void> {
  let came = 0;
  for await (const piece of source) {
    add(piece);
    came += piece.length;
  }
  if (came !== bytes)
    throw new FlockworkError("bad_message", `A stream was said to have ${bytes} bytes; ${came} came.`);
}

function notThere(hash: string): FlockworkError {
  return new FlockworkError("internal", `Blob ${hash} is not in the store.`);
}
