// The hub of main nodes that were told none: whoever finds none on this machine starts one inside itself, and when that one
// leaves with its main node, another takes its place, port and data. A hub that somebody started on purpose is left to them.
import type { Hub } from "../hub/index.js";
import { FlockworkError } from "../ids/index.js";
import { hubHealth, hubInside } from "./where.node.js";

const RETRY_MS = 100;

export class StandIn {
  readonly #url: string;
  readonly #tell: (error: FlockworkError) => void;
  #hub: Hub | undefined = undefined;
  /** Whether the hub we are linked to is one inside a main node. */
  #passing = false;
  #down = false;
  #closed = false;
  #trying: Promise<void> | undefined = undefined;

  /** `tell` hears why this process can not be the hub; others may. */
  constructor(url: string, tell: (error: FlockworkError) => void) {
    this.#url = url;
    this.#tell = tell;
  }

  /** Starts a hub where none answers. Two that try at once end up on one: who loses the race for the port joins the other. */
  async start(): Promise<void> {
    if ((await hubHealth(this.#url)) === undefined) this.#hub = await hubInside();
  }

  /** The link is up. Resolves when it is known whose hub this is. */
  async up(): Promise<void> {
    this.#down = false;
    this.#passing = (await hubHealth(this.#url))?.passing ?? this.#passing;
  }

  down(): void {
    if (!this.#passing || this.#hub !== undefined || this.#closed) return;
    this.#down = true;
    this.#trying ??= this.#replace().finally(() => (this.#trying = undefined));
  }

  /** The hub inside this process leaves with it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#trying;
    await this.#hub?.close();
  }

  async #replace(): Promise<void> {
    while (this.#down && !this.#closed) {
      try {
        if ((await hubHealth(this.#url)) === undefined) this.#hub = await hubInside();
      } catch (error) {
        if (!(error instanceof FlockworkError)) throw error;
        // The one before may still be closing its data.
        if (error.code !== "data_locked") {
          this.#tell(error);
          return;
        }
      }
      if (this.#hub !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
