// GET and HEAD /blobs/<sha256>: a stored payload, whole or a range of it. Who may ask is decided before.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BlobPayloads } from "./blob-payloads.js";

/** The only form in which a blob can be named: nothing else reaches the store. */
const PATH = /^\/blobs\/([0-9a-f]{64})$/;

/** The hash that a path names; undefined where it names none. */
export function blobOfPath(path: string): string | undefined {
  return PATH.exec(path)?.[1];
}

/** Answers for a blob. False, and nothing answered, when there is none of that hash. */
export async function answerBlob(
  request: IncomingMessage,
  response: ServerResponse,
  blobs: BlobPayloads,
  hash: string,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  if (!blobs.has(hash)) return false;
  // Held from now on: the job it belongs to may be acknowledged meanwhile.
  const release = blobs.hold(hash);
  try {
    const { head, start, end } = headOf(request, hash, await blobs.sizeOf(hash));
    response.writeHead(head.status, { ...headers, ...head.headers });
    if (start === end || request.method === "HEAD") response.end();
    else await pipeline(Readable.from(blobs.open(hash, start, end), { objectMode: false }), response);
  } catch (error) {
    // Who asked has left; anything else is a bug or a broken disk.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  } finally {
    release();
  }
  return true;
}

/** Status and headers for a request of a blob, and which bytes follow. */
function headOf({ headers }: IncomingMessage, hash: string, size: number) {
  const etag = `"${hash}"`;
  const common = {
    // Its name says its bytes. Not for shared caches: others need not have a token.
    "cache-control": "private, max-age=31536000, immutable",
    etag,
    "accept-ranges": "bytes",
  };
  const nothing = { start: 0, end: 0 };
  if (headers["if-none-match"]?.includes(etag)) return { head: { status: 304, headers: common }, ...nothing };
  const { range: asked, "if-range": still } = headers;
  const range = still === undefined || still === etag ? rangeOf(asked, size) : undefined;
  if (range === "none")
    return { head: { status: 416, headers: { ...common, "content-range": `bytes */${size}` } }, ...nothing };
  const { start, end } = range ?? { start: 0, end: size };
  const body = { ...common, "content-type": "application/octet-stream", "content-length": end - start };
  const partial = { ...body, "content-range": `bytes ${start}-${end - 1}/${size}` };
  return {
    head: range === undefined ? { status: 200, headers: body } : { status: 206, headers: partial },
    start,
    end,
  };
}

/** One range of a Range header (RFC 9110, 14.2). Undefined: send all. "none": nothing of it is there. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "none" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(" ", "") ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const start = Math.max(0, size - Number(last));
    return start < size ? { start, end: size } : "none";
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "none";
  return { start, end: last === "" ? size : Math.min(size, Number(last) + 1) };
}
