// Payloads on their way through a hub that promises nothing beyond its own life: held in memory, neither hashed nor written
// to a disk, as far as a budget goes. The memory is used again and again, since touching new memory costs more than a copy.
import { randomHex } from "../ids/index.js";
import { borrowChunk, CHUNK_BYTES, freeChunks, keepChunk } from "../wire/index.js";

const SLAB_BYTES = CHUNK_BYTES;

type Slab = Uint8Array<ArrayBuffer>;

interface Held {
  readonly slabs: readonly Slab[];
  readonly bytes: number;
}

/** What became of a source: it is held under a name, or there was no room, and this is all of it, to be read once. */
export type Holding =
  { readonly hash: string; readonly bytes: number } | { readonly rest: AsyncIterable<Uint8Array> };

export class HeldPayloads {
  readonly #slabs: number;
  readonly #held = new Map<string, Held>();
  #used = 0;

  /** Holds `budget` bytes at most. */
  constructor(budget: number) {
    this.#slabs = Math.floor(budget / SLAB_BYTES);
  }

  /** Whether so many bytes can be held at all; whether there is room shows as they come. */
  fits(bytes: number): boolean {
    return bytes <= this.#slabs * SLAB_BYTES;
  }

  /** Takes what a source gives: whole chunks as they are, the rest copied. Names are as long as those of blobs, and say nothing. */
  async hold(source: AsyncIterable<Uint8Array>): Promise<Holding> {
    const slabs: Slab[] = [];
    const reader = source[Symbol.asyncIterator]();
    let bytes = 0;
    try {
      for (;;) {
        const { done, value } = await reader.next();
        if (done) break;
        for (let at = 0; at < value.length;) {
          const filled = bytes % SLAB_BYTES;
          if (filled === 0) {
            if (this.#used === this.#slabs)
              return { rest: this.#rest(slabs, bytes, value.subarray(at), reader) };
            this.#used++;
            if (at === 0 && keepChunk(value)) {
              slabs.push(value);
              bytes += SLAB_BYTES;
              break;
            }
            slabs.push(borrowed());
          }
          const part = value.subarray(at, at + SLAB_BYTES - filled);
          slabs.at(-1)!.set(part, filled);
          at += part.length;
          bytes += part.length;
        }
      }
    } catch (error) {
      this.#give(slabs);
      throw error;
    }
    const hash = randomHex(32);
    this.#held.set(hash, { slabs, bytes });
    return { hash, bytes };
  }

  sizeOf(hash: string): number | undefined {
    return this.#held.get(hash)?.bytes;
  }

  /** Views of the memory itself, which stay true until it is let go of. */
  *read(hash: string, start: number, end = Infinity): Generator<Uint8Array, void> {
    const held = this.#held.get(hash);
    if (held === undefined) return;
    const to = Math.min(end, held.bytes);
    for (let at = start; at < to;) {
      const from = at % SLAB_BYTES;
      const piece = held.slabs[Math.floor(at / SLAB_BYTES)]!.subarray(
        from,
        Math.min(SLAB_BYTES, from + to - at),
      );
      yield piece;
      at += piece.length;
    }
  }

  /** Whether there was such a payload. */
  delete(hash: string): boolean {
    const held = this.#held.get(hash);
    if (held === undefined) return false;
    this.#held.delete(hash);
    this.#give(held.slabs);
    return true;
  }

  /** What was taken, then what was not; the memory is free again piece by piece. */
  async *#rest(
    slabs: Slab[],
    bytes: number,
    value: Uint8Array,
    reader: AsyncIterator<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void> {
    let left = bytes;
    try {
      while (slabs.length > 0) {
        yield slabs[0]!.subarray(0, left);
        left -= SLAB_BYTES;
        this.#give([slabs.shift()!]);
      }
      yield value;
      for (let next = await reader.next(); !next.done; next = await reader.next()) yield next.value;
    } finally {
      this.#give(slabs);
      await reader.return?.();
    }
  }

  #give(slabs: readonly Slab[]): void {
    this.#used -= slabs.length;
    freeChunks(slabs);
  }
}

function borrowed(): Slab {
  const slab = borrowChunk();
  keepChunk(slab);
  return slab;
}
