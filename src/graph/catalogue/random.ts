// Random numbers that are the same bits in the interpreter, on every engine and on recomputation.
export * from "./choices.js";
export * from "./distributions.js";
export { iota, randomKey, RandomKey } from "./words.js";
