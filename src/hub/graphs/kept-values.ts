// Values kept under a name until somebody deletes them: blobs, and their names in the key-value store.
import { FlockworkError } from "../../ids/index.js";
import type { Kv } from "../../backbone/index.js";
import type { BlobPayloads } from "../blob-payloads.js";
import type { BlobPayload } from "../jobs.js";
import type { ClientSession } from "../sessions.js";

type Whose = Pick<ClientSession, "domain" | "owner">;

const PREFIX = "value/";

export class KeptValues {
  readonly #kv: Kv;
  readonly #blobs: BlobPayloads;
  readonly #known = new Map<string, BlobPayload>();
  /** Being stored now. */
  readonly #coming = new Set<string>();

  constructor(kv: Kv, blobs: BlobPayloads) {
    this.#kv = kv;
    this.#blobs = blobs;
  }

  /** Before unneeded blobs are deleted: these are needed. */
  async begin(): Promise<void> {
    for (const { key, value } of await this.#kv.list(PREFIX)) {
      const blob = JSON.parse(new TextDecoder().decode(value)) as BlobPayload;
      this.#blobs.hold(blob.hash);
      this.#known.set(key, blob);
    }
  }

  get(whose: Whose, name: string): BlobPayload | undefined {
    return this.#known.get(keyOf(whose, name));
  }

  names(whose: Whose): [name: string, bytes: number][] {
    const prefix = keyOf(whose, "");
    return [...this.#known]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { bytes }]): [string, number] => [key.slice(prefix.length), bytes])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Throws `name_taken`; returns how to store it, or to give the name up. */
  reserve(whose: Whose, name: string): Reservation {
    const key = keyOf(whose, name);
    if (this.#known.has(key) || this.#coming.has(key))
      throw new FlockworkError(
        "name_taken",
        `A value is kept as "${name}" already; delete it first, or choose another name.`,
      );
    this.#coming.add(key);
    return {
      store: async (source) => {
        try {
          const blob = await this.#blobs.put(source);
          await this.#kv.put(key, new TextEncoder().encode(JSON.stringify(blob)), { expect: 0 });
          this.#known.set(key, blob);
          return blob;
        } finally {
          this.#coming.delete(key);
        }
      },
      giveUp: () => void this.#coming.delete(key),
    };
  }

  /** Throws `unknown_name`. */
  async delete(whose: Whose, name: string): Promise<void> {
    const key = keyOf(whose, name);
    const blob = this.#known.get(key);
    if (blob === undefined)
      throw new FlockworkError("unknown_name", `Nothing is kept as "${name}"; names() lists what there is.`);
    this.#known.delete(key);
    await this.#kv.delete(key);
    this.#blobs.releaseAll([[0, blob.hash, blob.bytes]]);
  }
}

export interface Reservation {
  store(source: AsyncIterable<Uint8Array>): Promise<BlobPayload>;
  giveUp(): void;
}

/** Not joined by a sign that any of them may hold. */
function keyOf({ domain, owner }: Whose, name: string): string {
  return `${PREFIX}${encodeURIComponent(domain)}/${encodeURIComponent(owner)}/${name}`;
}
