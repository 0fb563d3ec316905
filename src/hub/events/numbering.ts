// Small numbers for names, so that columns can refer to them. A section tells each name once.
import type { Section } from "./section.js";

/** Beyond so many names, further ones share the last number. */
const MOST = 4096;

export class Numbering implements Section {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  #told = 0;

  constructor(readonly name: string) {}

  of(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#names.length >= MOST) return MOST - 1;
    const number = this.#names.push(this.#names.length === MOST - 1 ? "(others)" : name) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  whole(): string[] {
    this.#told = this.#names.length;
    return [...this.#names];
  }

  /** Names with the numbers that come next. */
  changes(): string[] | undefined {
    if (this.#told === this.#names.length) return undefined;
    const fresh = this.#names.slice(this.#told);
    this.#told = this.#names.length;
    return fresh;
  }
}
