// What there is to compute with, for clients that plan.
import type { MessageOf } from "../../wire/index.js";
import type { NodeView } from "../node-view.js";

/** Where no node has measured its link: loopback and a good wireless network lie on either side of these. */
const UNKNOWN = { bandwidth: 1e8, roundTripMs: 1 };

export function fleetOf(
  views: Iterable<NodeView>,
  domain: string,
): Pick<MessageOf<"fleet">, "nodes" | "bandwidth" | "roundTrip"> {
  const nodes: MessageOf<"fleet">["nodes"] = [];
  const speeds: number[] = [];
  const trips: number[] = [];
  for (const { id, domain: theirs, slots, engine, owner, peer } of views) {
    if (engine === undefined || peer === undefined || theirs !== domain) continue;
    const { flops, memory, provider, up, down, linkMs, callMs } = engine;
    nodes.push({ id, slots, flops, memory, provider, owner });
    // A value passes up from one node and down to another.
    if (up && down) speeds.push(Math.min(up, down));
    if (linkMs !== undefined) trips.push(linkMs + callMs);
  }
  return {
    nodes,
    bandwidth: middle(speeds) ?? UNKNOWN.bandwidth,
    roundTrip: (middle(trips) ?? UNKNOWN.roundTripMs) / 1000,
  };
}

function middle(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
