// What a hostile model is in the corpus.

/** What it is, its bytes, and what the refusal must say. */
export type Hostile = readonly [name: string, bytes: () => Uint8Array, says: RegExp];
