// Who owns the nodes of a domain, and which copies of tasks each owner's nodes get: copies go to labels ("side 1 of 2"), since
// the scheduler knows no owners. Nobody counts who is away or in quarantine.
import type { Domain } from "../../ids/index.js";
import type { HubCore } from "../core.js";
import type { NodeView } from "../node-view.js";

export const MAX_COPIES = 5;
/** Labels of the hub's own: no operator's begins like this. */
export const ownerLabel = (owner: string): string => `@owner ${owner}`;
export const sideLabel = (sides: number, side: number): string => `@side ${side} of ${sides}`;

export class Owners {
  /** In the order of their seats: where each sits decides which copies its nodes get. */
  readonly #seats = new Map<Domain, string[]>();

  constructor(private readonly core: HubCore) {}

  /** Owners whose nodes can be reached and believed. */
  present(domain: Domain): Set<string> {
    const owners = new Set<string>();
    for (const view of this.core.nodes.views.values())
      if (isTrusted(view) && view.domain === domain) owners.add(view.owner);
    return owners;
  }

  /** The labels of an owner's nodes; a new owner takes a seat. */
  labels(domain: Domain, owner: string): string[] {
    const seats = this.#seats.get(domain) ?? [];
    this.#seats.set(domain, seats);
    if (!seats.includes(owner)) {
      // In the place of one who is gone, so that no side stays empty.
      const present = this.present(domain);
      const gone = seats.findIndex((other) => !present.has(other));
      if (gone >= 0) seats[gone] = owner;
      else seats.push(owner);
    }
    const at = seats.indexOf(owner);
    const sides = Array.from({ length: MAX_COPIES - 1 }, (_, i) => sideLabel(i + 2, at % (i + 2)));
    return [ownerLabel(owner), ...sides];
  }

  /** Somebody is not there, or not believed, any more: the last of the others take those seats. */
  reseat(domain: Domain): void {
    const seats = this.#seats.get(domain) ?? [];
    const present = this.present(domain);
    const moved = new Set<string>();
    for (let from = 0, last = seats.length - 1; from < last; from++) {
      if (present.has(seats[from]!)) continue;
      while (last > from && !present.has(seats[last]!)) last--;
      if (last <= from) break;
      [seats[from], seats[last]] = [seats[last]!, seats[from]!];
      moved.add(seats[from]!);
    }
    for (const view of this.core.nodes.views.values()) {
      if (!isComputing(view) || view.domain !== domain || !moved.has(view.owner)) continue;
      const labels = [...view.labels, ...this.labels(domain, view.owner)];
      this.core.handle({ type: "NodeLabels", node: view.id, labels });
    }
  }
}

/** It computes programs, can be reached, and is not in quarantine. */
export function isTrusted(view: NodeView): boolean {
  return isComputing(view) && view.quarantinedUntil <= Date.now();
}

function isComputing(view: NodeView): boolean {
  return view.engine !== undefined && view.peer !== undefined;
}
