// The two shapes a blob comes in, as one stream of small pieces, checked.

import { FlockworkError } from "../ids/index.js";

export type BlobSource = Uint8Array | AsyncIterable<Uint8Array>;

export async function* piecesOf(source: BlobSource, largest: number): AsyncIterable<Uint8Array> {
  if (!(source instanceof Uint8Array) && !isIterable(source)) {
    throw new FlockworkError("bad_argument", "a blob is put from a Uint8Array or an AsyncIterable of them");
  }
  for await (const bytes of source instanceof Uint8Array ? [source] : source) {
    if (!(bytes instanceof Uint8Array)) {
      throw new FlockworkError(
        "bad_argument",
        `a blob is put from Uint8Arrays, its source gave a ${typeof bytes}`,
      );
    }
    for (let at = 0; at < bytes.length; at += largest) yield bytes.subarray(at, at + largest);
  }
}

function isIterable(source: unknown): boolean {
  return typeof source === "object" && source !== null && Symbol.asyncIterator in source;
}
