// Solutions that the hub only names because they are large: those of moderate size are fetched before anybody sees them,
// the others when somebody reads them. Such a one is acknowledged when it was read to its end, or released.
import { Content, type Payload, type RemotePayload, type Transfers } from "../wire/index.js";

/** Solutions up to this size are fetched at once, so that text() and the like need no waiting. */
const LOAD_BYTES = 64 * 1024 ** 2;

/** Solutions that are fetched at the same time. */
const LOADS_AT_ONCE = 4;

export interface ArrivalsHost {
  readonly transfers: Transfers;
  /** The hub need not keep this solution any more. */
  acknowledge(seq: number): void;
}

/** A solution's payload; `release` where it is not here. */
export interface Arrival {
  readonly payload: Payload | RemotePayload;
  readonly release?: () => void;
}

export class Arrivals {
  readonly #host: ArrivalsHost;
  readonly #loading = new Set<number>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  /** Solutions that are not here, and whether whoever got them has moved on. */
  readonly #away = new Map<number, { taken: boolean; over: boolean }>();

  constructor(host: ArrivalsHost) {
    this.#host = host;
  }

  /** Whether this one has been named before and is not done with. */
  knows(seq: number): boolean {
    return this.#loading.has(seq) || this.#away.has(seq);
  }

  /** Takes one that the hub named; it either arrives or fails. */
  add(
    seq: number,
    kind: number,
    size: number,
    arrived: (arrival: Arrival) => void,
    failed: (error: unknown) => void,
  ): void {
    const open = () => this.#host.transfers.fetch({ seq }, size);
    if (size > LOAD_BYTES) {
      arrived(this.#remote(seq, { kind, size, open }));
      return;
    }
    this.#loading.add(seq);
    const content = new Content({ kind, size, open });
    this.#inTurn(() => content.load()).then(
      () => {
        this.#loading.delete(seq);
        arrived({ payload: { kind, bytes: content.bytes() } });
      },
      (error: unknown) => {
        this.#loading.delete(seq);
        failed(error);
      },
    );
  }

  async #inTurn(load: () => Promise<unknown>): Promise<void> {
    if (this.#busy === LOADS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy++;
    try {
      await load();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
  }

  /** Whoever got a solution has moved on. True when it may be acknowledged now. */
  taken(seq: number): boolean {
    const away = this.#away.get(seq);
    if (away === undefined) return true;
    away.taken = true;
    if (away.over) this.#away.delete(seq);
    return away.over;
  }

  #remote(seq: number, payload: RemotePayload): Arrival {
    const state = { taken: false, over: false };
    this.#away.set(seq, state);
    const release = () => {
      if (state.over) return;
      state.over = true;
      if (!state.taken) return;
      this.#away.delete(seq);
      this.#host.acknowledge(seq);
    };
    const open = async function* () {
      yield* payload.open();
      release();
    };
    return { payload: { ...payload, open }, release };
  }
}
