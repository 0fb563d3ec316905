// What several tasks need is fetched once, and is given up when none of them needs it any more.

interface Shared<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  users: number;
  over: boolean;
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
  #running = 0;
  #waiting: (() => void)[] = [];

  /** So many fetches go on at the same time; the others wait. */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
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
        if (--mine.users > 0 || mine.over) return;
        this.#forget(key, mine);
        mine.abort.abort();
      },
    };
  }

  #start(key: string, fetch: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController();
    const result = this.#inTurn(() => {
      abort.signal.throwIfAborted();
      return fetch(abort.signal);
    }).finally(() => {
      shared.over = true;
      this.#forget(key, shared);
    });
    result.catch(() => undefined);
    const shared: Shared<T> = { result, abort, users: 0, over: false };
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
