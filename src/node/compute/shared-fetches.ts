// What several tasks need is fetched once, and is given up when none of them needs it any more.

interface Shared<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  users: number;
  /** What was fetched, once it is there. */
  got: { readonly value: T } | undefined;
}

/** One user's part in a fetch. */
export interface Share<T> {
  readonly result: Promise<T>;
  /** This user needs it no more. */
  leave(): void;
}

export class SharedFetches<T> {
  readonly #shared = new Map<string, Shared<T>>();
  readonly #atOnce: number;
  readonly #unused: (value: T) => void;
  #running = 0;
  #waiting: (() => void)[] = [];

  /** So many fetches go on at the same time; the others wait. `unused`: the last user of what was fetched has left. */
  constructor(atOnce: number, unused: (value: T) => void = () => undefined) {
    this.#atOnce = atOnce;
    this.#unused = unused;
  }

  /** Joins the fetch of `key`, or starts one. */
  join(key: string, fetch: (signal: AbortSignal) => Promise<T>): Share<T> {
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = this.#start(key, fetch);
      this.#shared.set(key, shared);
    }
    const mine = shared;
    mine.users++;
    let left = false;
    return {
      result: mine.result,
      leave: () => {
        if (left) return;
        left = true;
        if (--mine.users > 0) return;
        this.#forget(key, mine);
        if (mine.got !== undefined) this.#unused(mine.got.value);
        else mine.abort.abort();
      },
    };
  }

  #start(key: string, fetch: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController();
    const result = this.#inTurn(() => {
      abort.signal.throwIfAborted();
      return fetch(abort.signal);
    });
    const shared: Shared<T> = { result, abort, users: 0, got: undefined };
    result.then(
      (value) => {
        this.#forget(key, shared);
        if (shared.users > 0) shared.got = { value };
        else this.#unused(value);
      },
      () => this.#forget(key, shared),
    );
    return shared;
  }

  #forget(key: string, shared: Shared<T>): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }

  async #inTurn(run: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running++;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next !== undefined) next();
      else this.#running--;
    }
  }
}
