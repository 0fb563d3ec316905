// What there is to compute with, as the hub says: asked for when first needed, and again when the answer has grown old.
import type { Capacity } from "../../graph/plan.js";
import type { MessageOf } from "../../wire/index.js";

export type FleetAnswer = Pick<MessageOf<"fleet">, "nodes" | "bandwidth" | "roundTrip">;

/** What plans are made for where nobody knows better. */
const UNMEASURED = { flops: 1e9, memory: 1e9 };
const BANDWIDTH = 1e8;
const ROUND_TRIP = 2e-3;
/** How old an answer may be before it is asked for anew, and before a plan waits for that. Milliseconds. */
const STALE_MS = 2000;
const OLD_MS = 30_000;

export class FleetView {
  readonly #ask: () => Promise<FleetAnswer>;
  readonly #now: () => number;
  #last: FleetAnswer | undefined = undefined;
  #at = -Infinity;
  #asking: Promise<FleetAnswer> | undefined = undefined;

  constructor(ask: () => Promise<FleetAnswer>, now: () => number = () => performance.now()) {
    this.#ask = ask;
    this.#now = now;
  }

  /** The nodes that compute, at most `OLD_MS` old. */
  async get(): Promise<FleetAnswer> {
    const age = this.#now() - this.#at;
    // A fleet without nodes is worth another look: one may have come.
    const old = age > OLD_MS || this.#last === undefined || this.#last.nodes.length === 0;
    if (age > STALE_MS || old) this.#asking ??= this.#refresh();
    if (old && this.#asking !== undefined) return this.#asking;
    this.#asking?.catch(() => undefined);
    return this.#last!;
  }

  async #refresh(): Promise<FleetAnswer> {
    try {
      this.#last = await this.#ask();
      this.#at = this.#now();
      return this.#last;
    } finally {
      this.#asking = undefined;
    }
  }
}

/** The fleet as plans see it: a node for each slot. */
export function capacityOf({ nodes, bandwidth, roundTrip }: FleetAnswer): Capacity {
  const slots = nodes.flatMap(({ slots, flops, memory }) =>
    Array.from({ length: slots }, () => ({
      flops: flops > 0 ? flops : UNMEASURED.flops,
      memory: memory > 0 ? memory : UNMEASURED.memory,
    })),
  );
  return {
    nodes: slots.length > 0 ? slots : [UNMEASURED],
    bandwidth: bandwidth > 0 ? bandwidth : BANDWIDTH,
    roundTrip: roundTrip > 0 ? roundTrip : ROUND_TRIP,
  };
}

/** The node that has each place of capacityOf(). */
export function placesOf({ nodes }: FleetAnswer): string[] {
  return nodes.flatMap(({ id, slots }) => Array.from({ length: slots }, () => id));
}
