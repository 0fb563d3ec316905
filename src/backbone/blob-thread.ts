// The code of the thread that hashes and writes blobs, one chunk at a time, and its messages.
// It is a string so that it runs alike from sources, from dist/ and from a bundle.

export interface ThreadData {
  /** The folder of the blobs. */
  readonly folder: string;
  /** Whether files and folders are flushed to the disk before a put is done. */
  readonly sync: boolean;
}

/** To the thread. The first message of a put carries the path to write to before the hash is known. */
export type ToThread =
  | {
      readonly put: number;
      readonly temp?: string;
      readonly buffer: ArrayBuffer;
      readonly length: number;
      readonly last: boolean;
      /** Nothing more comes for now: the file need not stay open, nor the buffer come back. */
      readonly idle?: boolean;
    }
  | { readonly put: number; readonly abort: true }
  | { readonly stop: true };

export interface ThreadError {
  readonly message: string;
  readonly code?: string;
}

/** From the thread: each chunk's buffer comes back for the next one; then the end of the put. */
export type FromThread =
  | { readonly put: number; readonly buffer: ArrayBuffer }
  | { readonly put: number; readonly hash: string; readonly bytes: number }
  | { readonly put: number; readonly error: ThreadError }
  | { readonly put: number; readonly aborted: true };

export const BLOB_THREAD = String.raw`
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { join } = require("node:path");
const { parentPort, workerData: { folder, sync } } = require("node:worker_threads");

const puts = new Map();

function syncFolder(path) {
  const fd = fs.openSync(path, "r");
  try { fs.fsyncSync(fd); } finally { fs.closeSync(fd); }
}

function write(put, { buffer, length }) {
  const chunk = new Uint8Array(buffer, 0, length);
  put.hash.update(chunk);
  for (let at = 0; at < length; ) at += fs.writeSync(put.fd, chunk, at, length - at);
  put.bytes += length;
}

function finish(put) {
  const hash = put.hash.digest("hex");
  if (sync) fs.fsyncSync(put.fd);
  fs.closeSync(put.fd);
  put.fd = undefined;
  const fan = join(folder, hash.slice(0, 2));
  const made = fs.mkdirSync(fan, { recursive: true, mode: 0o700 });
  fs.renameSync(put.temp, join(fan, hash)); // over what is there: the same bytes, or a file that a power loss has cut
  if (sync) {
    syncFolder(fan);
    if (made) syncFolder(folder);
  }
  return { hash, bytes: put.bytes };
}

function discard(put) {
  try { if (put.fd !== undefined) fs.closeSync(put.fd); } catch {}
  try { fs.unlinkSync(put.temp); } catch {} // never created, or renamed already; the next start clears the rest
}

parentPort.on("message", (message) => {
  if (message.stop) {
    for (const put of puts.values()) discard(put);
    parentPort.close();
    return;
  }
  const id = message.put;
  if (message.abort) {
    const put = puts.get(id);
    if (put) discard(put);
    puts.delete(id);
    parentPort.postMessage({ put: id, aborted: true });
    return;
  }
  if (message.temp) puts.set(id, { temp: message.temp, fd: undefined, hash: createHash("sha256"), bytes: 0 });
  const put = puts.get(id);
  if (!put) return; // failed already
  try {
    put.fd ??= fs.openSync(put.temp, put.bytes > 0 ? "a" : "wx", 0o600);
    write(put, message);
    if (message.last) {
      const done = finish(put);
      puts.delete(id);
      parentPort.postMessage({ put: id, ...done });
    } else if (message.idle) {
      fs.closeSync(put.fd);
      put.fd = undefined;
    } else {
      parentPort.postMessage({ put: id, buffer: message.buffer }, [message.buffer]);
    }
  } catch (error) {
    puts.delete(id);
    discard(put);
    parentPort.postMessage({ put: id, error: { message: error.message, code: error.code } }); // a clone would lose the code
  }
});
`;
