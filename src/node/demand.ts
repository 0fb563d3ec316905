// How many tasks a node wants to hold now, and when the hub should hear of it.
import { Credit } from "./credit.js";
import type { ComputingNodeOptions } from "./node-options.js";

type DemandOptions = Pick<ComputingNodeOptions, "slots" | "limit" | "prefetch" | "paused">;

export class Demand {
  readonly #options: DemandOptions;
  readonly #credit: Credit;
  #slots: number;
  /** How many tasks are here, waiting or running. */
  readonly #held: () => number;
  paused: boolean;
  leaving = false;
  /** It measures its link, before it takes anything. */
  measuring = false;
  /** Tasks answered so far, failures included. */
  answered = 0;
  /** What the last hello named. */
  #greeted = 0;
  #greetedSlots: number;
  #toldSlots: number;

  /** `computes`: it takes programs. */
  constructor(options: DemandOptions, computes: boolean, held: () => number) {
    this.#options = options;
    const slots = options.slots ?? 1;
    this.#slots = this.#greetedSlots = this.#toldSlots = slots;
    this.#credit = new Credit(slots, computes ? slots : 0);
    this.#held = held;
    this.paused = options.paused ?? false;
  }

  get slots(): number {
    return this.#slots;
  }

  resize(slots: number): void {
    this.#slots = slots;
    this.#credit.resize(slots);
  }

  /** How many more tasks it may start before it leaves. */
  get room(): number {
    if (this.leaving || this.paused || this.measuring) return 0;
    const { limit = Infinity } = this.#options;
    return Math.max(0, limit - this.answered - this.#held());
  }

  /** Whether it holds no more than it can start. */
  get exact(): boolean {
    return this.#options.limit !== undefined || this.#options.prefetch === false;
  }

  /** How many tasks it wants to hold now; 0: none, and none new. */
  get window(): number {
    return Math.min(this.room, this.exact ? this.#slots : this.#credit.window);
  }

  /** Whether it has answered all it came for. */
  get done(): boolean {
    const { limit } = this.#options;
    return limit !== undefined && this.answered >= limit;
  }

  /** A task took this long. */
  measured(ms: number): void {
    this.#credit.measured(1, ms);
  }

  /** The window that a hello names. */
  greet(): number {
    this.#greetedSlots = this.#slots;
    return (this.#greeted = this.window);
  }

  /** The hub counts from the hello: what was said since then is lost. True when it is to hear of another window. */
  greeted(): boolean {
    this.#credit.told = this.#greeted;
    this.#toldSlots = this.#greetedSlots;
    return this.window !== this.#greeted || this.#slots !== this.#greetedSlots;
  }

  /** What to ask for, when the hub should hear of it. */
  news(): { readonly window: number; readonly slots?: number } | undefined {
    if (this.#slots !== this.#toldSlots) {
      const { window } = this;
      this.#credit.told = window;
      this.#toldSlots = this.#slots;
      return { window, slots: this.#slots };
    }
    const window = this.#windowNews();
    return window === undefined ? undefined : { window };
  }

  #windowNews(): number | undefined {
    const { told } = this.#credit;
    const { window } = this;
    if (window > 0 && told > 0) return this.exact ? undefined : this.#credit.news();
    if (window === told) return undefined;
    this.#credit.told = window;
    return window;
  }
}
