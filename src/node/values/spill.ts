// Where a node's values go when memory is short. A page has no such place.
export interface Spill {
  /** Writes bytes down; returns the key that they are read by. Rejects with `out_of_memory` when they do not fit. */
  write(bytes: Uint8Array): Promise<number>;
  /** Bytes `offset` to `offset + length` of what was written. */
  read(key: number, offset: number, length: number): Promise<Uint8Array>;
  /** Nobody reads these any more. */
  remove(key: number): void;
  close(): Promise<void>;
}
