// The tabs of one browser that take part: they hear each other, and share what the device may use. A tab that falls silent, since
// it was closed or sleeps, is counted no more.

/** What tabs say to each other. */
export interface TabWord {
  readonly id: string;
  readonly is: "here" | "gone";
}

/** A tab says that it is here every second. */
const SILENT_MS = 5000;

export class Tabs {
  readonly #id: string;
  readonly #say: (word: TabWord) => void;
  readonly #heard = new Map<string, number>();

  constructor(id: string, say: (word: TabWord) => void) {
    this.#id = id;
    this.#say = say;
    say({ id, is: "here" });
  }

  /** How many there are, this one among them. */
  get count(): number {
    return this.#heard.size + 1;
  }

  /** This tab's part of so many tasks at the same time; each tab has one at least. */
  share(slots: number): number {
    const place = [...this.#heard.keys()].filter((id) => id < this.#id).length;
    return Math.max(1, Math.floor(slots / this.count) + (place < slots % this.count ? 1 : 0));
  }

  hear({ id, is }: TabWord, now: number): void {
    if (is === "gone") this.#heard.delete(id);
    else {
      // Whoever comes learns of the others at once.
      if (!this.#heard.has(id)) this.#say({ id: this.#id, is: "here" });
      this.#heard.set(id, now);
    }
  }

  /** Every second. `woke`: this tab slept, and could not hear the others. */
  tick(now: number, woke: boolean): void {
    this.#say({ id: this.#id, is: "here" });
    for (const [id, at] of this.#heard)
      if (woke) this.#heard.set(id, now);
      else if (now - at > SILENT_MS) this.#heard.delete(id);
  }

  leave(): void {
    this.#say({ id: this.#id, is: "gone" });
  }
}
