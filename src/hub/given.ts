// Which tasks a node was given: an answer to one that it never was given does not count, however good it looks.

/** What was given away before this hub started nobody here remembers: there, any node of the domain is believed. */
export class Given {
  readonly #tasks = new Set<number>();

  /** `since`: the first task number of this hub's life. */
  constructor(readonly since: number) {}

  /** How many it has not answered. */
  get size(): number {
    return this.#tasks.size;
  }

  add(task: number): void {
    this.#tasks.add(task);
  }

  /** It has answered, or will not. */
  delete(task: number): void {
    this.#tasks.delete(task);
  }

  has(task: number): boolean {
    return task < this.since || this.#tasks.has(task);
  }
}
