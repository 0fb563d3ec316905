// The key-value store on SQLite. Watches see the changes made through this handle: one hub owns the directory.

import { checkCondition, checkName, checkValue } from "./arguments.js";
import type { Kv, KvChange, KvCondition, KvEntry, Revision } from "./backbone.js";
import { copyOf, plain } from "./bytes.js";
import { ChangeFeed } from "./change-feed.js";
import type { SqliteFile } from "./database.js";

interface Row {
  readonly key: string;
  readonly revision: Revision;
  readonly value: Buffer;
}

export class SqliteKv implements Kv {
  readonly #file: SqliteFile;
  readonly #feed = new ChangeFeed();
  readonly #get;
  readonly #put;
  readonly #delete;
  readonly #from;
  readonly #nextRevision;

  constructor(file: SqliteFile) {
    this.#file = file;
    this.#get = file.prepare<[string], Row>("SELECT key, revision, value FROM kv WHERE key = ?");
    this.#put = file.prepare<[string, Revision, Uint8Array], never>(
      `INSERT INTO kv (key, revision, value) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value`,
    );
    this.#delete = file.prepare<[string], never>("DELETE FROM kv WHERE key = ?");
    this.#from = file.prepare<[string], Row>(
      "SELECT key, revision, value FROM kv WHERE key >= ? ORDER BY key",
    );
    this.#nextRevision = file.prepare<[], { value: Revision }>(
      "UPDATE counter SET value = value + 1 WHERE name = 'revision' RETURNING value",
    );
  }

  async get(key: string): Promise<KvEntry | undefined> {
    checkName("key", key);
    const row = this.#file.read(() => this.#get.get(key));
    return row && entry(row);
  }

  async put(key: string, value: Uint8Array, condition: KvCondition = {}): Promise<Revision> {
    checkName("key", key);
    checkValue(value);
    const revision = this.#file.transaction(() => {
      checkCondition(key, this.#get.get(key)?.revision ?? 0, condition);
      const next = this.#nextRevision.get()!.value;
      this.#put.run(key, next, value);
      return next;
    });
    this.#feed.publish({ type: "put", key, value: copyOf(value), revision });
    return revision;
  }

  async delete(key: string, condition: KvCondition = {}): Promise<boolean> {
    checkName("key", key);
    const revision = this.#file.transaction(() => {
      const current = this.#get.get(key)?.revision ?? 0;
      checkCondition(key, current, condition);
      if (current === 0) return 0;
      this.#delete.run(key);
      return this.#nextRevision.get()!.value;
    });
    if (revision !== 0) this.#feed.publish({ type: "delete", key, revision });
    return revision !== 0;
  }

  async list(prefix = ""): Promise<KvEntry[]> {
    return this.#file.read(() => {
      const found: KvEntry[] = [];
      for (const row of this.#from.iterate(prefix)) {
        if (!row.key.startsWith(prefix)) break;
        found.push(entry(row));
      }
      return found;
    });
  }

  watch(prefix = ""): AsyncIterableIterator<KvChange> {
    return this.#feed.watch(prefix);
  }

  close(): void {
    this.#feed.close();
  }
}

function entry({ key, revision, value }: Row): KvEntry {
  return { key, revision, value: plain(value) };
}
