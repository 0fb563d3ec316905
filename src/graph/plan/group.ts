// The operators of a graph in groups, each to be one task: large enough to be worth a round trip, and cut where few bytes cross. Never in a circle.
import { bytesOf, nodeCost, type Cost } from "../cost.js";
import { bindType } from "../cost.js";
import type { Binding } from "../dim.js";
import type { Expression, Node } from "../expression.js";
import { freshSymbols, inRunOrder, symbolsOfAttrs } from "../walk.js";
import type { Fleet } from "./fleet.js";
import { Clusters, type Link } from "./cluster.js";

export interface Group {
  /** Each after its inputs; sources are not among them. */
  readonly nodes: readonly Node[];
  readonly cost: Cost;
  /** The rank of the node that its pieces were cut for. */
  readonly lane: number | undefined;
  /** The groups whose values it reads (their places in the list), and how many bytes. */
  readonly needs: readonly Link[];
  /** The bytes of the graph's inputs that it reads, by node. */
  readonly reads: ReadonlyMap<Node, number>;
}

/** Groups in an order in which they can run. `lanes` are of pieces that were cut for one node. */
export function group(
  outputs: readonly Expression[],
  lanes: ReadonlyMap<Node, number>,
  fleet: Fleet,
  lengths: Binding,
): readonly Group[] {
  const nodes = inRunOrder(outputs).filter(({ row }) => row.kind !== "source");
  const places = new Map(nodes.map((node, i) => [node, i]));
  const costs = nodes.map((node) => nodeCost(node, lengths));
  const links = linksOf(nodes, places, lengths);
  const clusters = new Clusters(
    costs.map((cost) => fleet.seconds(cost)),
    links,
    (bytes) => fleet.capacity.roundTrip + fleet.moveSeconds(bytes),
  );
  if (fleet.nodes.length === 1) clusters.all();
  else {
    if (lanes.size > 0) clusters.join(stages(nodes, lanes, links));
    clusters.coarsen();
  }
  const { lists, needs } = clusters.result();
  return lists.map((members, at): Group => {
    const own = members.map((i) => nodes[i]!);
    const laneSeconds = new Map<number, number>();
    for (const i of members) {
      const lane = lanes.get(nodes[i]!);
      if (lane !== undefined) laneSeconds.set(lane, (laneSeconds.get(lane) ?? 0) + fleet.seconds(costs[i]!));
    }
    return {
      nodes: own,
      cost: members.reduce<Cost>(
        (sum, i) => ({ flops: sum.flops + costs[i]!.flops, bytes: sum.bytes + costs[i]!.bytes }),
        { flops: 0, bytes: 0 },
      ),
      lane: [...laneSeconds].sort(([, a], [, b]) => b - a)[0]?.[0],
      needs: needs[at]!,
      reads: new Map(
        own
          .flatMap(({ inputs }) => inputs)
          .filter(
            (x) => x.node.row.kind === "source" && !x.node.source?.value && x.node.source?.name !== undefined,
          )
          .map((x) => [x.node, bytesOf(bindType(x.type, lengths))]),
      ),
    };
  });
}

/** For each node, the nodes that it needs, with the bytes that flow. */
function linksOf(nodes: readonly Node[], places: ReadonlyMap<Node, number>, lengths: Binding): Link[][] {
  const makers = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const symbol of freshSymbols(node)) makers.set(symbol, i);
  });
  return nodes.map((node) => {
    const values = new Set<string>();
    const own: Link[] = [];
    for (const { node: from, index, type } of node.inputs) {
      const place = places.get(from);
      if (place === undefined || values.has(`${place}.${index}`)) continue;
      values.add(`${place}.${index}`);
      own.push({ from: place, bytes: bytesOf(bindType(type, lengths)) });
    }
    const dims = [node, ...node.inputs.map((x) => x.node).filter(({ row }) => row.kind === "source")];
    for (const symbol of dims.flatMap(symbolsOfAttrs)) {
      const from = makers.get(symbol);
      if (from !== undefined) own.push({ from, bytes: 0 });
    }
    return own;
  });
}

/** The pieces of each lane between two meetings with anything else: no path leaves such a set and comes back. */
function stages(
  nodes: readonly Node[],
  lanes: ReadonlyMap<Node, number>,
  links: readonly (readonly Link[])[],
): Iterable<readonly number[]> {
  const stage: number[] = [];
  const sets = new Map<string, number[]>();
  nodes.forEach((node, i) => {
    const lane = lanes.get(node);
    stage[i] = links[i]!.reduce(
      (top, { from }) => Math.max(top, stage[from]! + Number(lanes.get(nodes[from]!) !== lane)),
      0,
    );
    if (lane === undefined) return;
    const key = `${stage[i]} ${lane}`;
    const set = sets.get(key) ?? [];
    set.push(i);
    sets.set(key, set);
  });
  return sets.values();
}
