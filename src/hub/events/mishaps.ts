// What went wrong and who caused it: the last of them, equal ones together.
import type { Section } from "./section.js";

export interface Mishap {
  readonly code: string;
  readonly message: string;
  /** The node that failed, where one did. */
  readonly node?: string;
  /** Whose job it was, or who sent what did not fit. */
  readonly client?: string;
  readonly service?: string;
}

/** `times`: how often since `firstAt`; `at`: the last time. Times in milliseconds since 1970. */
export interface MishapRow extends Mishap {
  readonly number: number;
  readonly firstAt: number;
  at: number;
  times: number;
}

const MOST = 200;
const MOST_TEXT = 500;

export class Mishaps implements Section {
  readonly name = "errors";
  /** By what makes two equal, the latest last. */
  readonly #rows = new Map<string, MishapRow>();
  readonly #fresh = new Set<MishapRow>();
  #next = 0;

  add(mishap: Mishap, now: number): void {
    const { code, node = "", client = "", service = "" } = mishap;
    const key = `${code}\n${node}\n${client}\n${service}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      const message = mishap.message.slice(0, MOST_TEXT);
      row = { ...mishap, message, number: this.#next++, firstAt: now, at: now, times: 0 };
    }
    row.at = now;
    row.times++;
    this.#rows.delete(key);
    this.#rows.set(key, row);
    this.#fresh.add(row);
    if (this.#rows.size <= MOST) return;
    const [oldest, dropped] = this.#rows.entries().next().value!;
    this.#rows.delete(oldest);
    this.#fresh.delete(dropped);
  }

  /** The latest last. */
  all(): MishapRow[] {
    return [...this.#rows.values()];
  }

  whole(): MishapRow[] {
    this.#fresh.clear();
    return this.all();
  }

  changes(): MishapRow[] | undefined {
    if (this.#fresh.size === 0) return undefined;
    const rows = [...this.#fresh];
    this.#fresh.clear();
    return rows;
  }
}
