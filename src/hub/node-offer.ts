// What a node offers, as the scheduler hears it: its services, programs of every size if it has an engine, and what tasks may need.
import type { SchedulerEvent } from "../scheduler/index.js";
import type { EngineFields } from "../wire/index.js";
import { PROGRAM_SERVICES, REFERENCE } from "./graphs/size-class.js";
import type { NodeView } from "./node-view.js";
import type { Hello } from "./peer.js";

type Offer = Omit<Extract<SchedulerEvent<never>, { readonly type: "NodeJoined" }>, "resuming">;

/** `own`: labels that the hub gives it. */
/** What a node's link takes of values in a millisecond: each passes up from one node and down to another. */
export function bytesPerMsOf({ up, down }: EngineFields): number | undefined {
  return up && down ? Math.min(up, down) / 1000 : undefined;
}

export function offerOf(view: NodeView, node: NonNullable<Hello["node"]>, own: readonly string[]): Offer {
  const { engine } = node;
  const providers = engine ? [...(node.providers ?? []), engine.provider] : (node.providers ?? []);
  const labels = [...view.labels, ...own];
  const bytesPerMs = engine && bytesPerMsOf(engine);
  return {
    type: "NodeJoined",
    node: view.id,
    domain: view.domain,
    slots: node.slots,
    window: Math.max(node.window, node.slots),
    services: engine ? [...node.services, ...PROGRAM_SERVICES] : node.services,
    idempotent: node.idempotent,
    ...(engine && { speed: engine.flops / REFERENCE.flops }),
    ...(bytesPerMs !== undefined && { bytesPerMs }),
    ...(node.memoryMb !== undefined && { memoryMb: node.memoryMb }),
    ...(providers.length > 0 && { providers }),
    ...(labels.length > 0 && { labels }),
  };
}
