// What counts as a stream of bytes that a user gives as a job or as a solution: whatever can be iterated for Uint8Arrays.

/** A job or a solution whose bytes come as they are made. */
export interface ByteStream {
  readonly kind: number;
  readonly source: AsyncIterable<Uint8Array>;
}

/** Number of the kind "bytes" on the wire. */
const BYTES = 0;

/** A value as a stream: an AsyncIterable (a Node Readable is one) or a ReadableStream of Uint8Array. Undefined: it is none. */
export function byteStreamOf(value: unknown): ByteStream | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Symbol.asyncIterator in value) return { kind: BYTES, source: value as AsyncIterable<Uint8Array> };
  if (typeof ReadableStream !== "undefined" && value instanceof ReadableStream)
    return { kind: BYTES, source: readAll(value as ReadableStream<Uint8Array>) };
  return undefined;
}

/** Not every browser can iterate one. */
async function* readAll(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  let over = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      over = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!over) await reader.cancel();
  }
}
