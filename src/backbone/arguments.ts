// What every driver asks of the arguments of a call, so that a mistake reads the same on each of them.

import { FlockworkError, type BlobHash } from "../ids/index.js";
import type { ByteRange, Epoch, KvCondition } from "./backbone.js";

/** Largest record of a journal: above the largest job (256 MiB of text) with its header. */
export const MAX_RECORD_BYTES = 512 * 2 ** 20;
/** Largest value of the key-value store: it holds settings and addresses; big things are blobs. */
export const MAX_VALUE_BYTES = 2 ** 20;
const MAX_NAME_LENGTH = 512;

/** Names of partitions and keys: any text without control characters and lone surrogates. */
export function checkName(what: "partition" | "key", name: string): void {
  if (typeof name === "string" && name.length <= MAX_NAME_LENGTH && /^[^\p{Cc}\p{Cs}]+$/u.test(name)) return;
  throw new FlockworkError(
    "bad_argument",
    `${what} ${String(JSON.stringify(name))} is not usable: give 1 to ${MAX_NAME_LENGTH} characters, no control characters`,
  );
}

export function checkEpoch(epoch: Epoch): void {
  if (typeof epoch !== "object" || epoch === null) {
    throw new FlockworkError("bad_argument", `an epoch comes from claim(), this is ${describe(epoch)}`);
  }
  checkName("partition", epoch.partition);
  checkCount("epoch", epoch.epoch);
}

export function checkRecords(records: readonly Uint8Array[]): void {
  if (!Array.isArray(records) || records.length === 0) {
    throw new FlockworkError("bad_argument", "append needs an array of at least one record");
  }
  for (const record of records) checkBytes("record", record, MAX_RECORD_BYTES);
}

export function checkValue(value: Uint8Array): void {
  checkBytes("value", value, MAX_VALUE_BYTES);
}

function checkBytes(what: string, bytes: Uint8Array, limit: number): void {
  if (!(bytes instanceof Uint8Array)) {
    throw new FlockworkError("bad_argument", `a ${what} must be a Uint8Array, not ${describe(bytes)}`);
  }
  if (bytes.length > limit) {
    throw new FlockworkError(
      "too_large",
      `a ${what} of ${bytes.length} bytes is over the limit of ${limit} bytes`,
    );
  }
}

export function checkCount(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new FlockworkError("bad_argument", `${what} must be a whole number from 0, not ${String(value)}`);
  }
}

/** The hash becomes a path, so nothing but 64 lower-case hexadecimal digits passes. */
export function checkHash(hash: BlobHash): void {
  if (typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash)) return;
  throw new FlockworkError(
    "bad_argument",
    `${JSON.stringify(hash)} is not a blob hash: give the 64 lower-case hexadecimal digits of a SHA-256`,
  );
}

export function clampRange(size: number, range: ByteRange = {}): { start: number; end: number } {
  if (range.start !== undefined) checkCount("range.start", range.start);
  if (range.end !== undefined) checkCount("range.end", range.end);
  const start = Math.min(range.start ?? 0, size);
  return { start, end: Math.max(start, Math.min(range.end ?? size, size)) };
}

/** Refuses a change whose condition does not hold; `current` is 0 for a key that does not exist. */
export function checkCondition(key: string, current: number, { expect }: KvCondition): void {
  if (expect === undefined) return;
  checkCount("expect", expect);
  if (expect === current) return;
  const found = current === 0 ? "does not exist" : `is at revision ${current}`;
  const wanted = expect === 0 ? "not to exist" : `at revision ${expect}`;
  throw new FlockworkError(
    "conflict",
    `key ${JSON.stringify(key)} ${found} and was expected ${wanted}: read it again and decide anew`,
  );
}

export function staleEpoch(partition: string, given: number, current: number): FlockworkError {
  return new FlockworkError(
    "stale_epoch",
    `partition ${JSON.stringify(partition)} was claimed again (epoch ${current}, this writer has ${given}): ` +
      "this hub must stop writing to it",
  );
}

export function closedError(): FlockworkError {
  return new FlockworkError("closed", "the store has been closed: open it again");
}

function describe(value: unknown): string {
  return value === null
    ? "null"
    : typeof value === "object"
      ? (value.constructor?.name ?? "an object")
      : typeof value;
}
