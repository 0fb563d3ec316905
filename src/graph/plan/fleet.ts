// What a plan knows of the machines: how fast they compute, and what it costs to reach them. Seconds from costs.
import type { Cost } from "../cost.js";
import { GraphError } from "../error.js";

export interface NodeCapacity {
  /** Floating-point operations a second, as measured. */
  readonly flops: number;
  /** Bytes a second that operators read and write in memory, as measured. */
  readonly memory: number;
}

/** What is there to run a plan. */
export interface Capacity {
  readonly nodes: readonly NodeCapacity[];
  /** Bytes a second between nodes. */
  readonly bandwidth: number;
  /** Seconds to hand a task to a node and hear of its end. */
  readonly roundTrip: number;
}

/** A capacity with its nodes in the order of their speed, and the sums that decisions need. */
export class Fleet {
  /** The fastest first. */
  readonly nodes: readonly NodeCapacity[];
  /** The place of each in the capacity. */
  readonly places: readonly number[];

  /** Throws a GraphError where there is no node, or a figure that is no speed. */
  constructor(readonly capacity: Capacity) {
    const { nodes, bandwidth, roundTrip } = capacity;
    if (nodes.length === 0)
      throw new GraphError("plan: capacity.nodes is empty; a plan needs a node to run on");
    const wrong = [...nodes.flatMap(({ flops, memory }) => [flops, memory]), bandwidth].find((v) => !(v > 0));
    if (wrong !== undefined || !(roundTrip >= 0))
      throw new GraphError(
        `plan: capacity holds ${wrong ?? roundTrip}; speeds are above 0 a second, the round trip is in seconds from 0`,
      );
    const sorted = [...nodes.entries()].sort(([, a], [, b]) => b.flops - a.flops);
    this.nodes = sorted.map(([, node]) => node);
    this.places = sorted.map(([place]) => place);
  }

  /** Seconds on the node of this rank; 0 is the fastest. */
  seconds({ flops, bytes }: Cost, rank = 0): number {
    const node = this.nodes[rank]!;
    return Math.max(flops / node.flops, bytes / node.memory);
  }

  /** Seconds on the fastest `lanes` nodes, each doing a share as large as its speed. */
  sharedSeconds({ flops, bytes }: Cost, lanes: number): number {
    let [compute, memory] = [0, 0];
    for (const node of this.nodes.slice(0, lanes)) {
      compute += node.flops;
      memory += node.memory;
    }
    return Math.max(flops / compute, bytes / memory);
  }

  moveSeconds(bytes: number): number {
    return bytes / this.capacity.bandwidth;
  }

  /** Where an axis of `length` is cut, for the fastest `lanes` nodes: 0, ..., length. Pieces are as long as nodes are fast, and none is empty. */
  bounds(length: number, lanes: number): readonly number[] {
    const own = this.nodes.slice(0, Math.min(lanes, length));
    const total = own.reduce((sum, { flops }) => sum + flops, 0);
    const bounds = [0];
    let done = 0;
    own.forEach(({ flops }, i) => {
      done += flops;
      const left = own.length - 1 - i;
      const at = left === 0 ? length : Math.round((length * done) / total);
      bounds.push(Math.min(Math.max(at, bounds[i]! + 1), length - left));
    });
    return bounds;
  }
}
