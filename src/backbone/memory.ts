// A backbone that forgets: the same promises in memory, for tests and, but for the blobs, for `--ephemeral`. Nothing outlives the process.

import { createHash } from "node:crypto";
import type { BlobHash } from "../ids/index.js";
import {
  checkCondition,
  checkCount,
  checkEpoch,
  checkHash,
  checkName,
  checkRecords,
  checkValue,
  clampRange,
  closedError,
  staleEpoch,
} from "./arguments.js";
import type {
  Backbone,
  BlobContent,
  BlobInfo,
  Blobs,
  ByteRange,
  Epoch,
  Journal,
  JournalRecord,
  Kv,
  KvChange,
  KvCondition,
  KvEntry,
  Lsn,
  Revision,
} from "./backbone.js";
import { piecesOf, type BlobSource } from "./blob-source.js";
import { copyOf } from "./bytes.js";
import { ChangeFeed } from "./change-feed.js";

/** What is hashed before the event loop gets its turn. */
const PIECE_BYTES = 2 ** 20;

export function openMemory(): Backbone {
  const life = { closed: false };
  const kv = new MemoryKv(life);
  return {
    journal: new MemoryJournal(life),
    kv,
    blobs: new MemoryBlobs(life),
    close: async () => {
      life.closed = true;
      kv.close();
    },
  };
}

interface Life {
  closed: boolean;
}

function alive(life: Life): void {
  if (life.closed) throw closedError();
}

/** `records[i]` has the LSN `first + i`. */
interface Partition {
  epoch: number;
  first: Lsn;
  records: Uint8Array[];
}

class MemoryJournal implements Journal {
  readonly #partitions = new Map<string, Partition>();

  constructor(readonly life: Life) {}

  async claim(partition: string): Promise<Epoch> {
    alive(this.life);
    checkName("partition", partition);
    const held = this.#partitions.get(partition) ?? { epoch: 0, first: 1, records: [] };
    held.epoch++;
    this.#partitions.set(partition, held);
    return { partition, epoch: held.epoch };
  }

  async append(epoch: Epoch, records: readonly Uint8Array[]): Promise<Lsn> {
    checkEpoch(epoch);
    checkRecords(records);
    const held = this.#held(epoch);
    const lsn = held.first + held.records.length;
    for (const record of records) held.records.push(copyOf(record));
    return lsn;
  }

  flush(): void {
    // Every append is as durable as it will ever be.
  }

  async *replay(epoch: Epoch): AsyncIterable<JournalRecord> {
    checkEpoch(epoch);
    const { first, records } = this.#held(epoch);
    const end = first + records.length;
    for (let lsn = first; lsn < end; lsn++) {
      const held = this.#held(epoch);
      lsn = Math.max(lsn, held.first);
      const record = lsn < end ? held.records[lsn - held.first] : undefined;
      if (record) yield { lsn, record: copyOf(record) };
    }
  }

  async compact(epoch: Epoch, before: Lsn): Promise<void> {
    checkEpoch(epoch);
    checkCount("before", before);
    const held = this.#held(epoch);
    const dropped = held.records.splice(0, Math.max(0, before - held.first));
    held.first += dropped.length;
  }

  #held({ partition, epoch }: Epoch): Partition {
    alive(this.life);
    const held = this.#partitions.get(partition);
    if (held?.epoch !== epoch) throw staleEpoch(partition, epoch, held?.epoch ?? 0);
    return held;
  }
}

class MemoryKv implements Kv {
  readonly #entries = new Map<string, KvEntry>();
  readonly #feed = new ChangeFeed();
  #revision: Revision = 0;

  constructor(readonly life: Life) {}

  async get(key: string): Promise<KvEntry | undefined> {
    alive(this.life);
    checkName("key", key);
    const entry = this.#entries.get(key);
    return entry && copy(entry);
  }

  async put(key: string, value: Uint8Array, condition: KvCondition = {}): Promise<Revision> {
    alive(this.life);
    checkName("key", key);
    checkValue(value);
    checkCondition(key, this.#entries.get(key)?.revision ?? 0, condition);
    const entry = { key, value: copyOf(value), revision: ++this.#revision };
    this.#entries.set(key, entry);
    this.#feed.publish({ type: "put", ...copy(entry) });
    return entry.revision;
  }

  async delete(key: string, condition: KvCondition = {}): Promise<boolean> {
    alive(this.life);
    checkName("key", key);
    checkCondition(key, this.#entries.get(key)?.revision ?? 0, condition);
    if (!this.#entries.delete(key)) return false;
    this.#feed.publish({ type: "delete", key, revision: ++this.#revision });
    return true;
  }

  async list(prefix = ""): Promise<KvEntry[]> {
    alive(this.life);
    const found = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix)).map(copy);
    return found.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  watch(prefix = ""): AsyncIterableIterator<KvChange> {
    return this.#feed.watch(prefix);
  }

  close(): void {
    this.#feed.close();
  }
}

function copy(entry: KvEntry): KvEntry {
  return { ...entry, value: copyOf(entry.value) };
}

/** In the pieces it came in: nothing large is ever copied at once. */
interface StoredBlob {
  readonly bytes: number;
  readonly pieces: readonly Uint8Array[];
}

class MemoryBlobs implements Blobs {
  readonly #blobs = new Map<BlobHash, StoredBlob>();

  constructor(readonly life: Life) {}

  async put(source: BlobSource): Promise<BlobInfo> {
    alive(this.life);
    const hash = createHash("sha256");
    const stored: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of piecesOf(source, PIECE_BYTES)) {
      hash.update(piece);
      stored.push(copyOf(piece));
      bytes += piece.length;
      await nextTurn();
      alive(this.life);
    }
    const name = hash.digest("hex") as BlobHash;
    this.#blobs.set(name, { bytes, pieces: stored });
    return { hash: name, bytes };
  }

  async get(hash: BlobHash, range?: ByteRange): Promise<BlobContent | undefined> {
    alive(this.life);
    checkHash(hash);
    const blob = this.#blobs.get(hash);
    if (!blob) return undefined;
    const { start, end } = clampRange(blob.bytes, range);
    return { size: blob.bytes, start, end, [Symbol.asyncIterator]: () => readRange(blob, start, end) };
  }

  async has(hash: BlobHash): Promise<boolean> {
    alive(this.life);
    checkHash(hash);
    return this.#blobs.has(hash);
  }

  async delete(hash: BlobHash): Promise<boolean> {
    alive(this.life);
    checkHash(hash);
    return this.#blobs.delete(hash);
  }

  async *list(): AsyncIterable<BlobInfo> {
    alive(this.life);
    for (const [hash, { bytes }] of this.#blobs) yield { hash, bytes };
  }
}

async function* readRange({ pieces }: StoredBlob, start: number, end: number): AsyncIterator<Uint8Array> {
  let at = 0;
  for (const piece of pieces) {
    const from = Math.max(0, start - at);
    const to = Math.min(piece.length, end - at);
    if (from < to) {
      yield piece.slice(from, to);
      await nextTurn();
    }
    at += piece.length;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
