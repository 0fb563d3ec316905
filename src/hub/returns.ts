// Nodes that were there when the last hub died. They may hold what waits here, so dispatch gives them a moment.
import type { Logger } from "pino";
import type { Kv } from "../backbone/index.js";
import type { NodeId } from "../ids/index.js";

/** How long a hub that starts waits for the nodes of the one before; a link redials within two seconds, and then must dial. */
export const RETURN_MS = 2_500;
const KV_PREFIX = "node/";
/** Noted of a node that computes programs. */
const COMPUTES = Uint8Array.of(1);

export class Returns {
  readonly #kv: Kv;
  readonly #log: Logger;
  readonly #awaited = new Set<string>();

  constructor(kv: Kv, log: Logger) {
    this.#kv = kv;
    this.#log = log;
  }

  /** Whether some have not come back and may still do. */
  get awaited(): boolean {
    return this.#awaited.size > 0;
  }

  /** Reads who was there; awaits them where jobs wait, and those who may hold values of graphs, which come again. True when there is somebody to wait for; `over` says when no longer. */
  async expect(jobsWait: boolean, over: () => void): Promise<boolean> {
    for (const { key, value } of await this.#kv.list(KV_PREFIX)) {
      await this.#kv.delete(key);
      if (jobsWait || value.length > 0) this.#awaited.add(key.slice(KV_PREFIX.length));
    }
    if (!this.awaited) return false;
    setTimeout(() => {
      this.#awaited.clear();
      over();
    }, RETURN_MS).unref();
    return true;
  }

  /** Notes that a node is here, for the hub that comes after this one. True when it was awaited. */
  here(id: NodeId, computes: boolean): boolean {
    // A full disk only costs that hub a little patience.
    this.#kv
      .put(KV_PREFIX + id, computes ? COMPUTES : new Uint8Array())
      .catch((error: unknown) => this.#log.debug({ err: error }, "node not noted"));
    return this.#awaited.delete(id);
  }

  left(id: NodeId): void {
    this.#kv
      .delete(KV_PREFIX + id)
      .catch((error: unknown) => this.#log.debug({ err: error }, "node still noted"));
  }
}
