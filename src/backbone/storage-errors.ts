// Turns what SQLite and the file system report into errors for people: what happened, where, and what to do.

import { FlockworkError } from "../ids/index.js";

const UNWRITABLE = new Set([
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "EIO",
  "EACCES",
  "EPERM",
  "EFBIG",
  "EMFILE",
  "ENFILE",
]);

const REASONS: Readonly<Record<string, string>> = {
  SQLITE_FULL: "the disk is full",
  SQLITE_READONLY: "it is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "access is denied",
  EPERM: "access is denied",
};

/** An error of SQLite or of the file system as a FlockworkError; whatever else comes in goes out unchanged. */
export function storageError(error: unknown, path: string, doing: "write to" | "read" = "write to"): unknown {
  const code = codeOf(error);
  if (error instanceof FlockworkError || code === undefined) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const family = /^SQLITE_[A-Z]+/.exec(code)?.[0];
  if (family === "SQLITE_CORRUPT" || family === "SQLITE_NOTADB") {
    return new FlockworkError(
      "storage_corrupt",
      `${path} is damaged (${detail}): restore it from a backup, or move it away to start empty`,
      { cause: error },
    );
  }
  if (family === "SQLITE_BUSY" || family === "SQLITE_LOCKED") {
    return new FlockworkError("data_locked", `another program holds ${path}: stop it and try again`, {
      cause: error,
    });
  }
  const unwritable =
    UNWRITABLE.has(code) ||
    ["SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN"].includes(family ?? "");
  if (!unwritable) return error;
  const reason = REASONS[code] ?? REASONS[family ?? ""] ?? `input/output error ${code}`;
  return new FlockworkError(
    "storage_full",
    doing === "read"
      ? `cannot read ${path}: ${reason}; check the disk and the permissions`
      : `cannot write to ${path}: ${reason}; free space there or make it writable, then try again`,
    { cause: error },
  );
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
