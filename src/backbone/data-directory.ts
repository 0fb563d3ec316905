// The data directory belongs to one hub at a time: a lock that dies with its process, and a note about who holds it.

import Database from "better-sqlite3";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FlockworkError } from "../ids/index.js";
import { codeOf, storageError } from "./storage-errors.js";

/** Two hubs that start at once both see the other's lock for a moment; this long they try again. */
const LOCK_MS = 250;

/** Who holds a data directory, as `hub.json` in it says. */
export interface Holder {
  readonly pid: number;
  /** Where it listens, once it does. */
  readonly url?: string;
}

export class DataDirectory {
  readonly #lock: Database.Database;

  /** Makes the directory if need be and takes it, or throws `data_locked`, `storage_full`. */
  constructor(readonly path: string) {
    makeFolder(path);
    try {
      this.#lock = takeLock(path);
    } catch (error) {
      throw storageError(error, path);
    }
    try {
      this.announce();
    } catch (error) {
      this.#lock.close();
      throw error;
    }
  }

  /** Tells whoever finds the directory taken where this hub listens. */
  announce(url?: string): void {
    const holder: Holder = { pid: process.pid, ...(url === undefined ? {} : { url }) };
    const temp = join(this.path, `hub.json.${process.pid}`);
    try {
      writeFileSync(temp, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
      renameSync(temp, join(this.path, "hub.json"));
    } catch (error) {
      rmSync(temp, { force: true });
      throw storageError(error, this.path);
    }
  }

  release(): void {
    if (!this.#lock.open) return; // the note may be another hub's by now
    try {
      rmSync(join(this.path, "hub.json"), { force: true });
    } catch (error) {
      if (codeOf(error) === undefined) throw error; // a note left on a read-only disk misleads nobody: the lock decides
    }
    this.#lock.close();
  }
}

/** Who holds the directory, if its note can be read; the note of a killed hub stays until the next one starts. */
export function readHolder(path: string): Holder | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(join(path, "hub.json"), "utf8"));
    if (typeof note !== "object" || note === null || !("pid" in note) || typeof note.pid !== "number")
      return undefined;
    return { pid: note.pid, ...("url" in note && typeof note.url === "string" ? { url: note.url } : {}) };
  } catch {
    return undefined; // absent, unreadable or half a file: then nothing is known
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (recursive) {
    try {
      mkdirSync(path, { mode: 0o700 }); // a read-only disk is ENOENT to the recursive kind; this one says what it is
    } catch (error) {
      if (!["EEXIST", "ENOTDIR", "ENOENT"].includes(codeOf(error) ?? "")) throw storageError(error, path);
      const detail = recursive instanceof Error ? recursive.message : String(recursive);
      throw new FlockworkError(
        "bad_argument",
        `cannot make the data directory ${path} (${detail}): give a path to a folder, or to where one can be made`,
        { cause: recursive },
      );
    }
  }
}

/** SQLite's file lock works alike on every system and ends with the process, whatever ended it. */
function takeLock(path: string): Database.Database {
  const file = join(path, "hub.lock");
  closeSync(openSync(file, "a", 0o600));
  const lock = new Database(file, { timeout: LOCK_MS });
  try {
    lock.pragma("journal_mode = OFF"); // nothing is ever written, so no journal file beside it
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (codeOf(error)?.startsWith("SQLITE_BUSY")) throw lockedError(path, error);
    throw error;
  }
}

function lockedError(path: string, cause: unknown): FlockworkError {
  const holder = readHolder(path);
  const who = holder ? ` (process ${holder.pid}${holder.url === undefined ? "" : `, ${holder.url}`})` : "";
  return new FlockworkError(
    "data_locked",
    `data directory ${path} is in use by another hub${who}: stop that one or give this one another directory`,
    { cause },
  );
}
