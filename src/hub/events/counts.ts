// The hub's counts at a moment: the same numbers that /api/jobs and /metrics show.
import type { HubCore, HubParts } from "../core.js";
import type { Section } from "./section.js";

/** Bytes of frames that came in and went out since the hub is up. */
export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connections: number;
}

export type CountsNow = ReturnType<Counts["now"]>;

export class Counts implements Section {
  readonly name = "counts";

  constructor(
    private readonly core: HubCore,
    private readonly parts: HubParts,
    private readonly traffic: () => Traffic,
  ) {}

  now() {
    const { waiting, running, blocked } = this.core.scheduler.counts();
    let nodes = 0;
    let slots = 0;
    for (const view of this.core.nodes.views.values())
      if (view.peer !== undefined) {
        nodes++;
        slots += view.slots;
      }
    return {
      ...this.parts.counters,
      waiting,
      running,
      blocked,
      nodes,
      slots,
      ...this.traffic(),
      memoryBytes: process.memoryUsage.rss(),
      storageOk: !this.parts.ledger.stuck,
    };
  }

  whole(): CountsNow {
    return this.now();
  }

  changes(): CountsNow {
    return this.now();
  }
}
