// Plain counts of what a hub has done, kept on the hot path as numbers; metrics.ts shows them to Prometheus.
export class HubCounters {
  submitted = 0;
  refused = 0;
  solved = 0;
  unsolved = 0;
  /** Tasks of graphs. */
  computed = 0;
  dispatched = 0;
  superseded = 0;
  attemptsFailed = 0;
  recalled = 0;
  badMessages = 0;
  refusedConnections = 0;
  delivered = 0;
  acknowledged = 0;
  expired = 0;
}
