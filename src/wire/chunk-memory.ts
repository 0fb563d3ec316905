// Memory of chunks, used again and again: touching new memory costs more than a copy, and what is thrown away costs a
// collection. Whoever receives borrows a buffer for a chunk; whoever knows that nobody else reads it any more gives it back.
// What is not given back, because it went to a user, is collected like everything else.

/** The bytes of one chunk. */
export const CHUNK_BYTES = 256 * 1024;
/** Buffers that nobody has asked for in this long are let go. */
const IDLE_MS = 10_000;
/** Most bytes that are kept for the next who ask. */
const KEPT_BYTES = 96 * 1024 * 1024;

let free: Uint8Array<ArrayBuffer>[] = [];
/** Those that are lent, as chunks that only their receiver knows. */
const lent = new WeakSet<ArrayBufferLike>();
let trim: ReturnType<typeof setTimeout> | undefined;

/** A buffer of CHUNK_BYTES, whatever was in it before. `make` makes a new one. */
export function borrowChunk(make: () => Uint8Array<ArrayBuffer> = newChunk): Uint8Array<ArrayBuffer> {
  const chunk = free.pop() ?? make();
  lent.add(chunk.buffer);
  return chunk;
}

/** Whether these bytes are all of a buffer that was borrowed and not kept; from here on it is the caller's own. */
export function keepChunk(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.length === CHUNK_BYTES && lent.delete(bytes.buffer);
}

/** Gives back a buffer that was borrowed; bytes that lie elsewhere are left alone. Nobody may read them after this. */
export function returnChunk(bytes: Uint8Array): void {
  if (keepChunk(bytes)) freeChunks([bytes]);
}

/** Gives back buffers of one's own, of CHUNK_BYTES each. */
export function freeChunks(chunks: readonly Uint8Array<ArrayBuffer>[]): void {
  for (const chunk of chunks) if (free.length * CHUNK_BYTES < KEPT_BYTES) free.push(chunk);
  if (trim !== undefined && typeof trim === "object") trim.refresh();
  else if (trim === undefined) {
    trim = setTimeout(() => {
      free = [];
      trim = undefined;
    }, IDLE_MS);
    if (typeof trim === "object") trim.unref();
  }
}

function newChunk(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(CHUNK_BYTES);
}
