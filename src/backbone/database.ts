// The SQLite file: opening, settings, schema, and transactions whose failures leave the connection usable.
// What the tables mean is for the journal and the key-value store.

import Database from "better-sqlite3";
import { closeSync, openSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { FlockworkError } from "../ids/index.js";
import { closedError } from "./arguments.js";
import { storageError } from "./storage-errors.js";

/** What an acknowledged write survives: the death of every process, or also the loss of power. */
export type Durability = "process" | "power";

const APPLICATION_ID = 0x666c6f6b; // "flok"
const SCHEMA_VERSION = 1;
/** Larger than SQLite's 4 KiB: records are mostly tens of KiB to 1 MiB, and fewer pages are fewer steps. */
const PAGE_BYTES = 8192;
/** The write-ahead log is copied into the database beyond this size, and cut back to it after a burst. */
const LOG_BYTES = 16 * 2 ** 20;
/** What stays free for a restart and a compaction to write, so that a full hub can become less full by itself. */
const RESERVE_BYTES = 2 ** 19;
/** How much is written between two looks at the free space. */
const LOOK_BYTES = 2 ** 18;
/** Only a foreign program (a backup, a shell) can hold the file; the event loop stands still while we wait for it. */
const BUSY_MS = 2000;

const SCHEMA = `
  CREATE TABLE partition (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, floor INTEGER NOT NULL);
  CREATE TABLE kv (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO counter VALUES ('revision', 0);
`;

export class SqliteFile {
  readonly #db: Database.Database;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  /** Bytes written since the last look at the free space; looks at once after opening. */
  #unlooked = LOOK_BYTES;

  constructor(
    readonly path: string,
    durability: Durability,
  ) {
    try {
      closeSync(openSync(path, "a", 0o600)); // SQLite itself would let others read it
      this.#db = new Database(path, { timeout: BUSY_MS });
    } catch (error) {
      throw storageError(error, path);
    }
    try {
      this.#configure(durability);
      this.#begin = this.#db.prepare("BEGIN IMMEDIATE");
      this.#commit = this.#db.prepare("COMMIT");
      this.#rollback = this.#db.prepare("ROLLBACK");
    } catch (error) {
      this.#db.close();
      throw storageError(error, path);
    }
  }

  #configure(durability: Durability): void {
    const db = this.#db;
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma("journal_mode = WAL");
    db.pragma(`synchronous = ${durability === "power" ? "FULL" : "NORMAL"}`);
    db.pragma(`wal_autocheckpoint = ${LOG_BYTES / PAGE_BYTES}`);
    db.pragma(`journal_size_limit = ${LOG_BYTES}`);
    const version = db.pragma("user_version", { simple: true });
    if (version === SCHEMA_VERSION && db.pragma("application_id", { simple: true }) === APPLICATION_ID)
      return;
    const foreign = db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
    if (version !== 0 || foreign) {
      throw new FlockworkError(
        "storage_corrupt",
        `${this.path} was not written by this version of Flockwork (schema ${String(version)}, expected ` +
          `${SCHEMA_VERSION}): use the version that wrote it, or another data directory`,
      );
    }
    db.exec(
      `BEGIN IMMEDIATE; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
    );
  }

  prepare<Parameters extends unknown[], Row>(sql: string): Database.Statement<Parameters, Row> {
    return this.#guard(() => this.#db.prepare<Parameters, Row>(sql));
  }

  execute(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  /** Runs `work` as one transaction: either all of it is durable when this returns, or nothing of it happened. */
  transaction<T>(work: () => T): T {
    return this.#guard(() => {
      try {
        return this.#attempt(work);
      } catch (error) {
        if (!(error instanceof Database.SqliteError) || error.code !== "SQLITE_FULL" || !this.#reclaimLog())
          throw error;
        return this.#attempt(work);
      }
    });
  }

  /**
   * To be called before `bytes` are added. Throws `storage_full` while the disk has room only for what makes room:
   * every byte is written to the log first and copied to the database later, and a disk that has taken the first but
   * not the second would leave no way out.
   */
  reserve(bytes: number): void {
    this.#unlooked += bytes;
    if (this.#unlooked < LOOK_BYTES) return;
    this.#guard(() => {
      const needed = this.#unlooked + LOOK_BYTES;
      const roomy = this.#freeBytes() >= this.#logBytes() + 2 * needed + RESERVE_BYTES;
      if (!roomy && !this.#fits(needed)) {
        this.#unlooked = LOOK_BYTES;
        throw new Database.SqliteError("too little space", "SQLITE_FULL");
      }
      this.#unlooked = 0;
    });
  }

  /** Runs a query, translating its errors. */
  read<T>(query: () => T): T {
    return this.#guard(query);
  }

  close(): void {
    this.#db.close();
  }

  #attempt<T>(work: () => T): T {
    this.#begin.run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run(); // SQLite rolls back by itself on some failures, not on all
      throw error;
    }
  }

  /** On a full disk the write-ahead log may still hold space that a checkpoint makes writable again. */
  #reclaimLog(): boolean {
    try {
      this.#db.pragma("wal_checkpoint(RESTART)");
      return true;
    } catch {
      return false; // the caller reports the failure that led here
    }
  }

  /** The exact answer, for a disk that is nearly full: with the log copied, its file and free pages can be used again. */
  #fits(bytes: number): boolean {
    if (!this.#reclaimLog()) return false;
    const log = this.#logBytes();
    const freePages = Number(this.#db.pragma("freelist_count", { simple: true })) * PAGE_BYTES;
    const needed = Math.max(0, bytes - log) + Math.max(0, bytes - freePages);
    return this.#freeBytes() >= needed + Math.max(0, RESERVE_BYTES - Math.max(log, bytes));
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(dirname(this.path));
    return bavail * bsize;
  }

  #logBytes(): number {
    return statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  #guard<T>(work: () => T): T {
    if (!this.#db.open) throw closedError();
    try {
      return work();
    } catch (error) {
      throw storageError(error, this.path);
    }
  }
}
