// What a hub needs of whatever outlives it: a fenced journal, a small key-value store and blobs. Bytes are opaque
// here, nothing spans two of the three, and every call may cross a network, so that SQLite and JetStream both fit.

import type { BlobHash } from "../ids/index.js";

/** Log sequence number: increases within a partition, never reused, not necessarily without gaps. */
export type Lsn = number;

/** The right to write to a partition, until somebody else claims it. Made by `claim` only. */
export interface Epoch {
  readonly partition: string;
  readonly epoch: number;
}

export interface JournalRecord {
  readonly lsn: Lsn;
  readonly record: Uint8Array;
}

/** Every method rejects with `stale_epoch` once the partition has been claimed again. */
export interface Journal {
  /** Takes the partition over: from the moment this resolves, no append of an earlier claim succeeds. */
  claim(partition: string): Promise<Epoch>;

  /**
   * Adds a group of records: all of them or none, next to each other, in the order of the calls. Resolves with
   * the LSN of the first, once they are durable. The bytes must not change before that. Rejects with
   * `storage_full` when the disk does not take them; a later call may succeed.
   */
  append(epoch: Epoch, records: readonly Uint8Array[]): Promise<Lsn>;

  /** Commits what has been appended so far now, instead of at the end of this turn of the event loop. */
  flush(): void;

  /** The records that were there when the iteration began, in order. Records added meanwhile do not show. */
  replay(epoch: Epoch): AsyncIterable<JournalRecord>;

  /** Drops every record with an LSN below `before`; whoever calls has appended again what still lives. */
  compact(epoch: Epoch, before: Lsn): Promise<void>;
}

/** Increases with every change of any key; 0 stands for "there is no such key". */
export type Revision = number;

export interface KvEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: Revision;
}

export type KvChange =
  | ({ readonly type: "put" } & KvEntry)
  | { readonly type: "delete"; readonly key: string; readonly revision: Revision };

/** `expect`: the revision the key must have now, 0 for "must not exist"; otherwise the call rejects with `conflict`. */
export interface KvCondition {
  readonly expect?: Revision;
}

export interface Kv {
  get(key: string): Promise<KvEntry | undefined>;
  put(key: string, value: Uint8Array, condition?: KvCondition): Promise<Revision>;
  /** Resolves with whether there was such a key. */
  delete(key: string, condition?: KvCondition): Promise<boolean>;
  /** All entries whose key begins with `prefix`, ordered by the UTF-8 bytes of their keys. */
  list(prefix?: string): Promise<KvEntry[]>;
  /**
   * Changes from this call on, deletions included. A slow reader gets the latest change of each key, not every
   * step. Ends with `return()` (leaving a for-await loop calls it) or when the backbone closes.
   */
  watch(prefix?: string): AsyncIterableIterator<KvChange>;
}

/** Bytes `start` up to, not including, `end`; both are cut to the size of the blob. */
export interface ByteRange {
  readonly start?: number;
  readonly end?: number;
}

/** The bytes of a blob, or of a range of it. Nothing is read before the iteration starts. */
export interface BlobContent extends AsyncIterable<Uint8Array> {
  /** Size of the whole blob, in bytes. */
  readonly size: number;
  /** The range that will be delivered, cut to the size. */
  readonly start: number;
  readonly end: number;
}

export interface BlobInfo {
  readonly hash: BlobHash;
  readonly bytes: number;
}

export interface Blobs {
  /**
   * Stores bytes under their SHA-256. Resolves when they are durable, rejects with `storage_full` when the disk does
   * not take them; a put that fails, or whose source throws, leaves nothing behind. The bytes must not change before.
   */
  put(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo>;
  get(hash: BlobHash, range?: ByteRange): Promise<BlobContent | undefined>;
  has(hash: BlobHash): Promise<boolean>;
  /** Resolves with whether there was such a blob. */
  delete(hash: BlobHash): Promise<boolean>;
  /** Every blob, in no particular order. */
  list(): AsyncIterable<BlobInfo>;
}

export interface Backbone {
  readonly journal: Journal;
  readonly kv: Kv;
  readonly blobs: Blobs;
  /** Commits what was appended, ends every watch, frees the store. Later calls reject with `closed`. */
  close(): Promise<void>;
}

/** Gathers the bytes of a blob (or of a range) in memory. */
export async function readBlob(content: BlobContent): Promise<Uint8Array> {
  const bytes = new Uint8Array(content.end - content.start);
  let at = 0;
  for await (const chunk of content) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
