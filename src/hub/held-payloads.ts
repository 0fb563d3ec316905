// Payloads on their way through a hub that promises nothing beyond its own life: held in memory, neither hashed nor written
// to a disk, as far as a budget goes. The memory is used again and again, since touching new memory costs more than a copy.
import { FlockworkError, randomHex } from "../ids/index.js";
import { borrowChunk, CHUNK_BYTES, freeChunks, keepChunk } from "../wire/index.js";

const SLAB_BYTES = CHUNK_BYTES;

type Slab = Uint8Array<ArrayBuffer>;

interface Held {
  readonly slabs: Slab[];
  /** What it has, or will have. */
  readonly bytes: number;
  /** How much of it is here. */
  filled: number;
  /** Readers that wait for more. */
  readonly waiting: Set<Waiter>;
  /** What those that began before the last break get instead of more, firm ones only where it has ended for all. */
  broken: { readonly times: number; readonly error: unknown; readonly all: boolean };
}

interface Waiter {
  /** Does not mind breakReaders. */
  readonly firm: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** A payload whose length is known and whose bytes are still coming; it can be read meanwhile. */
export interface Growing {
  readonly name: string;
  readonly bytes: number;
  /** Takes a chunk as it is where it is a whole one of its own, copies it otherwise. Throws `bad_message` past the length. */
  add(chunk: Uint8Array): void;
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

  /** Keeps room for a payload of so many bytes and holds it as it comes. Undefined: there is no room. */
  grow(bytes: number): Growing | undefined {
    const count = Math.ceil(bytes / SLAB_BYTES);
    if (count === 0 || this.#used + count > this.#slabs) return undefined;
    this.#used += count;
    const held: Held = { slabs: [], bytes, filled: 0, waiting: new Set(), broken: WHOLE };
    const name = randomHex(32);
    this.#held.set(name, held);
    return {
      name,
      bytes,
      add: (chunk) => {
        if (held.filled + chunk.length > bytes)
          throw new FlockworkError("bad_message", `A stream was said to have ${bytes} bytes; more came.`);
        // It may have been given up.
        if (this.#held.get(name) !== held) return;
        held.filled = fill(held.slabs, held.filled, chunk);
        for (const waiter of held.waiting) waiter.resolve();
        held.waiting.clear();
      },
    };
  }

  /** Whoever reads this payload gets this error in place of more than there is; `all`: firm readers too. */
  breakReaders(name: string, error: unknown, all = false): void {
    const held = this.#held.get(name);
    if (held !== undefined) breakOff(held, error, all);
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
        const more = Math.ceil((bytes + value.length) / SLAB_BYTES) - slabs.length;
        if (this.#used + more > this.#slabs) return { rest: this.#rest(slabs, bytes, value, reader) };
        this.#used += more;
        bytes = fill(slabs, bytes, value);
      }
    } catch (error) {
      this.#give(slabs, slabs.length);
      throw error;
    }
    const hash = randomHex(32);
    this.#held.set(hash, { slabs, bytes, filled: bytes, waiting: new Set(), broken: WHOLE });
    return { hash, bytes };
  }

  sizeOf(hash: string): number | undefined {
    return this.#held.get(hash)?.bytes;
  }

  /** Views of the memory itself, which stay true until it is let go of; what is still coming is waited for. */
  async *read(hash: string, start: number, end = Infinity, firm = false): AsyncGenerator<Uint8Array, void> {
    const held = this.#held.get(hash);
    if (held === undefined) return;
    const to = Math.min(end, held.bytes);
    const { times } = held.broken;
    for (let at = start; at < to;) {
      const here = Math.min(to, held.filled);
      if (at >= here) {
        const { broken } = held;
        if (broken.all || (!firm && broken.times !== times)) throw broken.error;
        await new Promise<void>((resolve, reject) => held.waiting.add({ firm, resolve, reject }));
        continue;
      }
      const from = at % SLAB_BYTES;
      const slab = held.slabs[Math.floor(at / SLAB_BYTES)]!;
      const piece = slab.subarray(from, Math.min(SLAB_BYTES, from + here - at));
      yield piece;
      at += piece.length;
    }
  }

  /** Whether there was such a payload. */
  delete(hash: string): boolean {
    const held = this.#held.get(hash);
    if (held === undefined) return false;
    this.#held.delete(hash);
    breakOff(held, GONE, true);
    this.#give(held.slabs, Math.ceil(held.bytes / SLAB_BYTES));
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
        this.#give([slabs.shift()!], 1);
      }
      yield value;
      for (let next = await reader.next(); !next.done; next = await reader.next()) yield next.value;
    } finally {
      this.#give(slabs, slabs.length);
      await reader.return?.();
    }
  }

  #give(slabs: readonly Slab[], count: number): void {
    this.#used -= count;
    freeChunks(slabs);
  }
}

/** Puts a chunk behind what slabs have, and returns how much they have then. */
function fill(slabs: Slab[], filled: number, chunk: Uint8Array): number {
  if (filled % SLAB_BYTES === 0 && keepChunk(chunk)) {
    slabs.push(chunk);
    return filled + chunk.length;
  }
  for (let at = 0; at < chunk.length;) {
    const inSlab = filled % SLAB_BYTES;
    if (inSlab === 0) slabs.push(ownChunk());
    const part = chunk.subarray(at, at + SLAB_BYTES - inSlab);
    slabs.at(-1)!.set(part, inSlab);
    at += part.length;
    filled += part.length;
  }
  return filled;
}

function breakOff(held: Held, error: unknown, all: boolean): void {
  if (held.broken.all) return;
  held.broken = { times: held.broken.times + 1, error, all };
  for (const waiter of [...held.waiting]) {
    if (waiter.firm && !all) continue;
    held.waiting.delete(waiter);
    waiter.reject(error);
  }
}

const WHOLE = { times: 0, error: undefined, all: false };

function ownChunk(): Slab {
  const slab = borrowChunk();
  keepChunk(slab);
  return slab;
}

const GONE = new FlockworkError("stream_lost", "This payload is not here any more.");
