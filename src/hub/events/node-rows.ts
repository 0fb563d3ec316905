// Nodes in the feed: what a node is, told once; how it does, told when it changes.
import type { HubCore } from "../core.js";
import type { NodeView } from "../node-view.js";
import type { Numbering } from "./numbering.js";
import type { Section } from "./section.js";
import { serviceName } from "./service-name.js";

/** What /api/nodes and the feed say of a node that does not change while it is there. */
export interface NodeRow {
  readonly number: number;
  readonly id: string;
  readonly kind: string;
  readonly domain: string;
  readonly software: string;
  readonly slots: number;
  readonly services: readonly string[];
  readonly labels: readonly string[];
  /** What it computes programs with, where it does. */
  readonly provider?: string;
  readonly device?: string;
  readonly joinedAt: string;
}

/**
 * [number, state, in slots, held, solved, failed, speed, bytes from it, bytes to it, quarantined until, then of what runs:
 * service, since, service, since, ...]. Times count from the feed's epoch; 0: none.
 */
export type NodeNow = (number | string)[];

/** Of what runs on a node, so much is named. */
const MOST_NAMED = 4;

export class NodeRows implements Section {
  readonly name = "nodes";
  readonly #told = new Map<number, { readonly text: string; readonly slots: number }>();

  constructor(
    private readonly core: HubCore,
    private readonly services: Numbering,
    private readonly epoch: number,
  ) {}

  whole(): { joined: NodeRow[]; now: NodeNow[]; gone: number[] } {
    this.#told.clear();
    return this.changes() ?? { joined: [], now: [], gone: [] };
  }

  changes(): { joined: NodeRow[]; now: NodeNow[]; gone: number[] } | undefined {
    const joined: NodeRow[] = [];
    const now: NodeNow[] = [];
    const here = new Set<number>();
    for (const view of this.core.nodes.views.values()) {
      here.add(view.number);
      const row = this.#now(view);
      const text = row.join(" ");
      const told = this.#told.get(view.number);
      if (told?.text === text && told.slots === view.slots) continue;
      if (told?.slots !== view.slots) joined.push(nodeRow(view));
      now.push(row);
      this.#told.set(view.number, { text, slots: view.slots });
    }
    const gone = [...this.#told.keys()].filter((number) => !here.has(number));
    for (const number of gone) this.#told.delete(number);
    return now.length + gone.length === 0 ? undefined : { joined, now, gone };
  }

  #now(view: NodeView): NodeNow {
    const { scheduler } = this.core;
    const seen = scheduler.node(view.id);
    const row: NodeNow = [
      view.number,
      view.state,
      seen?.running ?? 0,
      seen?.held ?? 0,
      view.solved,
      view.failed,
      Math.round((seen?.speed ?? 0) * 100) / 100,
      view.peer?.bytesIn ?? 0,
      view.peer?.bytesOut ?? 0,
      view.quarantinedUntil > Date.now() ? Math.round(view.quarantinedUntil - this.epoch) : 0,
    ];
    let named = 0;
    for (const { service, startedAt } of scheduler.running(view.id)) {
      if (named++ === MOST_NAMED) break;
      row.push(this.services.of(serviceName(service)), Math.round(startedAt - this.epoch));
    }
    return row;
  }
}

export function nodeRow(view: NodeView): NodeRow {
  const { engine } = view;
  return {
    number: view.number,
    id: view.id,
    kind: view.kind,
    domain: view.domain,
    software: view.software,
    slots: view.slots,
    services: view.services,
    labels: view.labels,
    ...(engine && { provider: engine.provider }),
    ...(engine?.device !== undefined && { device: engine.device }),
    joinedAt: new Date(view.joinedAt).toISOString(),
  };
}

/** Everything that runs in a slot anywhere. */
export function* runningJobs(core: HubCore): IterableIterator<unknown> {
  for (const { id } of core.scheduler.nodes()) for (const { tag } of core.scheduler.running(id)) yield tag;
}
