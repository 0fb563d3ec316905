// Blobs as files named by their hash, in folders named by its first two digits. Writing is for the blob writer.

import { mkdir, open, readdir, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { FlockworkError, type BlobHash } from "../ids/index.js";
import { checkHash, clampRange, closedError } from "./arguments.js";
import type { BlobContent, BlobInfo, Blobs, ByteRange } from "./backbone.js";
import type { BlobSource } from "./blob-source.js";
import { BlobWriter } from "./blob-writer.js";
import type { Durability } from "./database.js";
import { codeOf, storageError } from "./storage-errors.js";

const READ_BYTES = 256 * 2 ** 10;
const TEMP = "unfinished";

export class FileBlobs implements Blobs {
  readonly #folder: string;
  readonly #writer: BlobWriter;
  #closed = false;

  constructor(folder: string, durability: Durability) {
    this.#folder = folder;
    this.#writer = new BlobWriter({ folder, sync: durability === "power" }, join(folder, TEMP));
  }

  /** Makes the folders. `clear` removes what killed puts have left: only for the one owner of the directory. */
  async prepare(clear: boolean): Promise<void> {
    await this.#guard("write to", async () => {
      if (clear) await rm(join(this.#folder, TEMP), { recursive: true, force: true });
      await mkdir(join(this.#folder, TEMP), { recursive: true, mode: 0o700 });
    });
  }

  async put(source: BlobSource): Promise<BlobInfo> {
    return this.#guard("write to", () => this.#writer.write(source));
  }

  async get(hash: BlobHash, range?: ByteRange): Promise<BlobContent | undefined> {
    checkHash(hash);
    const path = this.#path(hash);
    const size = await this.#size(path);
    if (size === undefined) return undefined;
    const { start, end } = clampRange(size, range);
    return { size, start, end, [Symbol.asyncIterator]: () => readRange(path, start, end) };
  }

  async has(hash: BlobHash): Promise<boolean> {
    checkHash(hash);
    return (await this.#size(this.#path(hash))) !== undefined;
  }

  async delete(hash: BlobHash): Promise<boolean> {
    checkHash(hash);
    return this.#guard("write to", async () => {
      try {
        await unlink(this.#path(hash));
        return true;
      } catch (error) {
        if (codeOf(error) === "ENOENT") return false;
        throw error;
      }
    });
  }

  async *list(): AsyncIterable<BlobInfo> {
    for (const fan of await this.#guard("read", () => readdir(this.#folder))) {
      if (!/^[0-9a-f]{2}$/.test(fan)) continue;
      for (const name of await this.#guard("read", () => readdir(join(this.#folder, fan)))) {
        const bytes = /^[0-9a-f]{64}$/.test(name) ? await this.#size(this.#path(name)) : undefined;
        if (bytes !== undefined) yield { hash: name as BlobHash, bytes };
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writer.close();
  }

  #path(hash: string): string {
    return join(this.#folder, hash.slice(0, 2), hash);
  }

  async #size(path: string): Promise<number | undefined> {
    return this.#guard("read", async () => {
      try {
        return (await stat(path)).size;
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        throw error;
      }
    });
  }

  async #guard<T>(doing: "read" | "write to", work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError();
    try {
      return await work();
    } catch (error) {
      throw storageError(error, this.#folder, doing);
    }
  }
}

async function* readRange(path: string, start: number, end: number): AsyncIterator<Uint8Array> {
  if (start === end) return;
  try {
    const file = await open(path, "r");
    try {
      const readAt = (at: number) => {
        const read = file.read(Buffer.allocUnsafeSlow(Math.min(READ_BYTES, end - at)), { position: at });
        read.catch(() => undefined); // whoever awaits it is told; nobody does when the reader has left
        return read;
      };
      // The next chunk is on its way while this one is used.
      let next = readAt(start);
      for (let at = start; at < end;) {
        const { bytesRead, buffer } = await next;
        if (bytesRead === 0)
          throw new FlockworkError("storage_corrupt", `${path} became shorter while it was read`);
        at += bytesRead;
        if (at < end) next = readAt(at);
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storageError(error, path, "read");
  }
}
