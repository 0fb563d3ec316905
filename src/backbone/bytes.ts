// Node's Buffer is a Uint8Array whose slice() shares memory; what goes in and out of a backbone does not.

/** A copy that shares nothing, also of a Buffer. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** The same memory as a Uint8Array proper. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
