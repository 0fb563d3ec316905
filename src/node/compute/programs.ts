// The programs that a node has: models by their hash, least recently used first to go.
export class Programs {
  readonly #models = new Map<string, Uint8Array>();
  readonly #limit: number;
  #bytes = 0;

  /** `limit`: bytes of models to keep. One that is larger alone is not kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(hash: string): Uint8Array | undefined {
    const model = this.#models.get(hash);
    if (model === undefined) return undefined;
    this.#models.delete(hash);
    this.#models.set(hash, model);
    return model;
  }

  add(hash: string, model: Uint8Array): void {
    if (this.#models.has(hash)) return;
    this.#models.set(hash, model);
    this.#bytes += model.length;
    for (const [old, { length }] of this.#models) {
      if (this.#bytes <= this.#limit) break;
      this.#models.delete(old);
      this.#bytes -= length;
    }
  }
}
