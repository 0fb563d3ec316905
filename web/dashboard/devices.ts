// Tabs of one browser are one device: they say the same of themselves, and stand in one row.
import type { Node } from "./board.js";

/** A node, or the tabs of one browser together: what they do is summed up. */
export interface Device extends Node {
  /** The nodes behind it, one at least. */
  readonly nodes: readonly Node[];
}

const LABEL = "device:";

/** In the order of the first node of each. Who has left stands alone. */
export function devicesOf(nodes: Iterable<Node>): Device[] {
  const groups = new Map<string, Node[]>();
  for (const node of nodes) {
    const here = node.state === "running" || node.state === "unknown";
    const label = here ? node.labels.find((label) => label.startsWith(LABEL)) : undefined;
    const key = label === undefined ? `${node.number}` : `${node.domain} ${label}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node]);
    else group.push(node);
  }
  return [...groups.values()].map((group) => (group.length === 1 ? alone(group[0]!) : together(group)));
}

function alone(node: Node): Device {
  return { ...node, nodes: [node] };
}

function together(nodes: readonly Node[]): Device {
  const sum = (of: (node: Node) => number) => nodes.reduce((total, node) => total + of(node), 0);
  const first = nodes.find(({ state }) => state === "running") ?? nodes[0]!;
  return {
    ...first,
    nodes,
    slots: sum(({ slots }) => slots),
    running: sum(({ running }) => running),
    held: sum(({ held }) => held),
    solved: sum(({ solved }) => solved),
    failed: sum(({ failed }) => failed),
    bytesIn: sum(({ bytesIn }) => bytesIn),
    bytesOut: sum(({ bytesOut }) => bytesOut),
    // Of one slot, as with a node.
    speed: sum(({ speed }) => speed) / nodes.length,
    doing: nodes.flatMap(({ doing }) => doing),
  };
}
