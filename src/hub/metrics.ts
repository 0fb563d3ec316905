// The hub's counts in Prometheus' words.
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { HubCore, HubParts } from "./core.js";
import type { HubCounters } from "./counters.js";
import type { Counts } from "./events/index.js";

const COUNTERS: { readonly [name in keyof HubCounters]: string } = {
  submitted: "Jobs taken and stored.",
  refused: "Jobs refused.",
  solved: "First answers.",
  unsolved: "Jobs that failed, were cancelled or missed their deadline.",
  computed: "Tasks of graphs that nodes computed.",
  dispatched: "Attempts sent to nodes.",
  superseded: "Answers that came after the first.",
  attemptsFailed: "Attempts that nodes reported as failed.",
  recalled: "Attempts called back from a node's queue.",
  badMessages: "Frames and messages that did not fit the protocol.",
  refusedConnections: "Connections refused for their Host, Origin or number.",
  delivered: "Results sent to clients.",
  acknowledged: "Results that clients acknowledged.",
  expired: "Results nobody claimed in time.",
};

export function hubMetrics(core: HubCore, parts: HubParts, counts: Counts): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const [name, help] of Object.entries(COUNTERS)) {
    new Counter({
      name: `flockwork_${name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(parts.counters[name as keyof HubCounters]);
      },
    });
  }
  const gauges: [string, string, () => number][] = [
    ["jobs_waiting", "Jobs that wait for a node or an input.", () => core.scheduler.counts().waiting],
    ["jobs_running", "Attempts at nodes.", () => core.scheduler.counts().running],
    [
      "nodes",
      "Nodes that are connected.",
      () => [...core.nodes.views.values()].filter((view) => view.peer).length,
    ],
    ["connections", "WebSocket connections.", () => counts.now().connections],
    ["received_bytes", "Bytes of frames that came since the hub is up.", () => counts.now().bytesIn],
    ["sent_bytes", "Bytes of frames that went out since the hub is up.", () => counts.now().bytesOut],
    ["storage_ok", "1 while the disk takes writes.", () => (parts.ledger.stuck ? 0 : 1)],
  ];
  for (const [name, help, read] of gauges)
    new Gauge({
      name: `flockwork_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  return registry;
}
