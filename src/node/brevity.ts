// Which programs are so short that the next may be handed to the engine before the last is done: the engine then does not wait
// for the node between them.

/** Milliseconds in the engine below which a program is short. */
const SHORT_MS = 0.5;
/** Short programs handed over for each slot. */
const DEPTH = 8;
/** Programs that are remembered. */
const MOST = 1000;

export class Brevity {
  #slots: number;
  /** Programs that were short when they last ran. */
  readonly #short = new Set<string>();
  /** Runs under way of programs that are not known to be short. */
  #long = 0;

  constructor(slots: number) {
    this.#slots = slots;
  }

  resize(slots: number): void {
    this.#slots = slots;
  }

  /** How many may run beyond the slots when this one is the next. */
  beyond(program: string): number {
    return this.#long === 0 && this.#short.has(program) ? this.#slots * (DEPTH - 1) : 0;
  }

  /** A run begins. The result is called when it is over. */
  began(program: string): () => void {
    if (this.#short.has(program)) return () => undefined;
    this.#long++;
    return () => void this.#long--;
  }

  /** It took so long in the engine. */
  took(program: string, ms: number): void {
    this.#short.delete(program);
    if (ms >= SHORT_MS) return;
    this.#short.add(program);
    if (this.#short.size > MOST) this.#short.delete(this.#short.values().next().value!);
  }
}
