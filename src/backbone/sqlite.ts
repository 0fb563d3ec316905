// The default backbone: a SQLite file and a folder of blobs in a data directory that one hub holds.

import { join } from "node:path";
import type { Backbone } from "./backbone.js";
import { DataDirectory } from "./data-directory.js";
import { SqliteFile, type Durability } from "./database.js";
import { FileBlobs } from "./file-blobs.js";
import { SqliteJournal } from "./sqlite-journal.js";
import { SqliteKv } from "./sqlite-kv.js";

export interface SqliteOptions {
  /** What an acknowledged write survives: the death of processes (default), or the loss of power too. */
  readonly durable?: Durability;
}

export interface SqliteBackbone extends Backbone {
  /** Notes in the data directory where its hub listens, for whoever finds it locked. */
  announce(url: string): void;
}

/** Rejects with `data_locked`, `storage_full` (also: read-only) or `storage_corrupt`; each message is one line. */
export async function openSqlite(
  directory: string,
  { durable }: SqliteOptions = {},
): Promise<SqliteBackbone> {
  const owned = new DataDirectory(directory);
  try {
    const store = await openStore(directory, { durable, clear: true });
    return {
      ...store,
      announce: (url) => owned.announce(url),
      close: async () => {
        await store.close();
        owned.release();
      },
    };
  } catch (error) {
    owned.release();
    throw error;
  }
}

/** The store without the lock: what remains of safety is the journal's epochs. For their tests. */
export async function openStore(
  directory: string,
  { durable = "process", clear = false }: { durable?: Durability | undefined; clear?: boolean } = {},
): Promise<Backbone> {
  const file = new SqliteFile(join(directory, "hub.db"), durable);
  try {
    const journal = new SqliteJournal(file);
    const kv = new SqliteKv(file);
    const blobs = new FileBlobs(join(directory, "blobs"), durable);
    await blobs.prepare(clear);
    return {
      journal,
      kv,
      blobs,
      close: async () => {
        journal.flush();
        kv.close();
        await blobs.close();
        file.close();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
