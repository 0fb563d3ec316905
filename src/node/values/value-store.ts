// The values that a node holds: named bytes within a limit of memory. What nobody uses goes to disk when memory is short, least
// recently used first. It knows no link: what is told of values is for the layers above.
import { FlockworkError } from "../../ids/index.js";
import type { Spill } from "./spill.js";

export interface ValueStoreOptions {
  /** Bytes of values in memory. */
  readonly limit: number;
  /** Absent: what does not fit into memory is refused. */
  readonly spill?: Spill | undefined;
  /** A value is gone that was not dropped: its place on disk can not be read. */
  readonly onLost?: (name: string) => void;
}

/** A value that stays until it is released, be it dropped meanwhile. */
export interface Claim {
  readonly name: string;
  readonly bytes: number;
  /** What its bytes hash to, once somebody has said so. */
  sha256: string | undefined;
  release(): void;
}

/** Values in memory, until they are released. */
export interface Lease {
  readonly data: readonly Uint8Array[];
  release(): void;
}

/** Memory for a value on its way here. */
export interface Room {
  /** The value has come. */
  keep(data: Uint8Array, sha256?: string): Claim;
  /** It will not. */
  leave(): void;
}

export class ValueStore {
  readonly #limit: number;
  readonly #spill: Spill | undefined;
  readonly #onLost: (name: string) => void;
  readonly #entries = new Map<string, Entry>();
  /** What is in memory, least recently used first; dropped values that somebody will read among it. */
  readonly #resident = new Set<Entry>();
  /** Bytes in memory, and those that are reserved. */
  #used = 0;
  /** Leases and rooms that are out: as long as there are some, there may be memory later. */
  #out = 0;
  /** How often memory came free. */
  #freed = 0;
  /** One at a time makes room. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];

  constructor({ limit, spill, onLost }: ValueStoreOptions) {
    this.#limit = limit;
    this.#spill = spill;
    this.#onLost = onLost ?? (() => undefined);
  }

  /** Bytes of values in memory, with what is reserved for those on their way. */
  get used(): number {
    return this.#used;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Names and bytes of all that is held. */
  *list(): Iterable<readonly [name: string, bytes: number]> {
    for (const { name, bytes } of this.#entries.values()) yield [name, bytes];
  }

  /** Keeps a value that is made here; the one that is held already where there is one. Rejects with `out_of_memory`. */
  async put(name: string, data: Uint8Array, sha256?: string): Promise<void> {
    this.#expectFit(data.length, "A value");
    await this.#inTurn(async () => {
      if (this.#entries.has(name)) return;
      if (await this.#makeRoom(data.length)) this.#add(name, data, sha256);
      // The rest of memory is in use: straight to disk, so that nobody waits for it.
      else if (this.#spill !== undefined) {
        const key = await this.#spill.write(data);
        const entry = this.#add(name, data, sha256);
        entry.key = key;
        this.#forgetData(entry);
      } else throw this.#full(data.length);
    });
  }

  /** Makes room for a value on its way here; waits while memory is in use. Rejects with `out_of_memory`. */
  async reserve(name: string, bytes: number): Promise<Room> {
    this.#expectFit(bytes, "A value");
    await this.#whenPossible(async () => {
      if (!(await this.#makeRoom(bytes))) return undefined;
      this.#used += bytes;
      this.#out++;
      return true;
    }, bytes);
    let over = false;
    const end = () => {
      if (over) throw new Error(`the room for value ${name} was given back before`);
      over = true;
      this.#used -= bytes;
      this.#out--;
    };
    return {
      keep: (data, sha256) => {
        end();
        const claim = this.#claimOf(this.#entries.get(name) ?? this.#add(name, data, sha256));
        this.#wake();
        return claim;
      },
      leave: () => {
        end();
        this.#wake();
      },
    };
  }

  /** Sees to it that a value stays; undefined when it is not here. */
  claim(name: string): Claim | undefined {
    const entry = this.#entries.get(name);
    return entry && this.#claimOf(entry);
  }

  /**
   * Brings values into memory, all together; waits while memory is in use. Rejects with `out_of_memory` when they can never be
   * there together, with `value_lost` when one can not be read.
   */
  async lease(claims: readonly Claim[]): Promise<Lease> {
    const entries = claims.map((claim) => (claim as EntryClaim).entry);
    const distinct = new Set(entries);
    let total = 0;
    for (const { bytes } of distinct) total += bytes;
    this.#expectFit(total, claims.length === 1 ? "A value" : `${claims.length} inputs`);
    const pin = (by: number) => {
      for (const entry of distinct) entry.pins += by;
    };
    await this.#whenPossible(async () => {
      pin(1);
      try {
        for (const entry of distinct)
          if (!(await this.#load(entry))) {
            pin(-1);
            return undefined;
          }
      } catch (error) {
        pin(-1);
        throw error;
      }
      this.#out++;
      return true;
    }, total);
    for (const entry of distinct) this.#touch(entry);
    let over = false;
    return {
      data: entries.map((entry) => entry.data!),
      release: () => {
        if (over) return;
        over = true;
        pin(-1);
        this.#out--;
        for (const entry of distinct) this.#tidy(entry);
        this.#wake();
      },
    };
  }

  /** Bytes of a value from an offset on, in pieces of at most `piece` bytes; it need not come into memory for that. Throws `value_lost`. */
  async *read(claim: Claim, offset: number, piece: number): AsyncGenerator<Uint8Array, void> {
    const { entry } = claim as EntryClaim;
    for (let at = offset; at < entry.bytes; at += piece) {
      const length = Math.min(piece, entry.bytes - at);
      yield entry.data?.subarray(at, at + length) ?? (await this.#readBack(entry, at, length));
    }
  }

  /** Nobody needs this value any more; whoever has claimed it may still read it. */
  drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    entry.dropped = true;
    this.#tidy(entry);
    this.#wake();
  }

  /** Everything goes, from the disk too. */
  async close(): Promise<void> {
    for (const name of [...this.#entries.keys()]) this.drop(name);
    await this.#spill?.close();
  }

  #add(name: string, data: Uint8Array, sha256: string | undefined): Entry {
    const entry = new Entry(name, data, sha256);
    this.#entries.set(name, entry);
    this.#resident.add(entry);
    this.#used += entry.bytes;
    return entry;
  }

  #claimOf(entry: Entry): Claim {
    this.#touch(entry);
    return new EntryClaim(entry, () => this.#tidy(entry));
  }

  #touch(entry: Entry): void {
    if (this.#resident.delete(entry)) this.#resident.add(entry);
  }

  /** A dropped value goes with its last reader. */
  #tidy(entry: Entry): void {
    if (!entry.dropped || entry.claims > 0 || entry.pins > 0) return;
    this.#forgetData(entry);
    if (entry.key !== undefined) this.#spill?.remove(entry.key);
    entry.key = undefined;
  }

  #forgetData(entry: Entry): void {
    if (entry.data === undefined) return;
    entry.data = undefined;
    this.#resident.delete(entry);
    this.#used -= entry.bytes;
  }

  /** Reads a value back into memory. False while there is no room for it. */
  async #load(entry: Entry): Promise<boolean> {
    if (entry.data !== undefined) return true;
    if (!(await this.#makeRoom(entry.bytes))) return false;
    const data = await this.#readBack(entry, 0, entry.bytes);
    entry.data = data;
    this.#resident.add(entry);
    this.#used += entry.bytes;
    return true;
  }

  async #readBack(entry: Entry, offset: number, length: number): Promise<Uint8Array> {
    try {
      return await this.#spill!.read(entry.key!, offset, length);
    } catch (error) {
      if (!entry.dropped) {
        this.drop(entry.name);
        this.#onLost(entry.name);
      }
      throw lost(entry.name, error instanceof Error ? error.message : String(error));
    }
  }

  /** Spills what nobody reads until so many bytes are free. False when what is left is in use. */
  async #makeRoom(bytes: number): Promise<boolean> {
    while (this.#used + bytes > this.#limit) {
      const victim = this.#victim();
      if (victim === undefined || this.#spill === undefined) return false;
      if (victim.key === undefined) {
        const key = await this.#spill.write(victim.data!);
        // Dropped while it was written.
        if (victim.data === undefined) this.#spill.remove(key);
        else victim.key = key;
      }
      if (victim.pins === 0) this.#forgetData(victim);
    }
    return true;
  }

  #victim(): Entry | undefined {
    for (const entry of this.#resident) if (entry.pins === 0) return entry;
    return undefined;
  }

  /** Tries until it succeeds, whenever memory that was in use is free. Throws when none is in use and it is still too much. */
  async #whenPossible(attempt: () => Promise<true | undefined>, bytes: number): Promise<void> {
    for (;;) {
      const before = this.#freed;
      if (await this.#inTurn(attempt)) return;
      if (this.#freed !== before) continue;
      if (this.#spill === undefined || this.#out === 0) throw this.#full(bytes);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act, act);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #wake(): void {
    this.#freed++;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #expectFit(bytes: number, what: string): void {
    if (bytes > this.#limit)
      throw new FlockworkError(
        "out_of_memory",
        `${what} of ${bytes} bytes can not be here: the node keeps at most ${this.#limit} bytes of values in memory. Start it with more --memory.`,
      );
  }

  #full(bytes: number): FlockworkError {
    return new FlockworkError(
      "out_of_memory",
      `No room for ${bytes} bytes: ${this.#used} of the ${this.#limit} bytes that the node keeps of values are taken${this.#spill ? "" : ", and it has no disk for them"}.`,
    );
  }
}

class Entry {
  readonly bytes: number;
  /** Undefined while it is on disk only. */
  data: Uint8Array | undefined;
  /** Where it is on disk; it stays there when it is read back, for a value never changes. */
  key: number | undefined = undefined;
  /** Whoever will read it: it is not removed before. */
  claims = 0;
  /** Whoever reads it now: it stays in memory. */
  pins = 0;
  dropped = false;

  constructor(
    readonly name: string,
    data: Uint8Array,
    public sha256: string | undefined,
  ) {
    this.data = data;
    this.bytes = data.length;
  }
}

class EntryClaim implements Claim {
  #over = false;

  constructor(
    readonly entry: Entry,
    readonly tidy: () => void,
  ) {
    entry.claims++;
  }

  get name(): string {
    return this.entry.name;
  }

  get bytes(): number {
    return this.entry.bytes;
  }

  get sha256(): string | undefined {
    return this.entry.sha256;
  }

  set sha256(hash: string | undefined) {
    this.entry.sha256 = hash;
  }

  release(): void {
    if (this.#over) return;
    this.#over = true;
    this.entry.claims--;
    this.tidy();
  }
}

function lost(name: string, why: string): FlockworkError {
  return new FlockworkError("value_lost", `Value ${name} can not be read: ${why}.`);
}
