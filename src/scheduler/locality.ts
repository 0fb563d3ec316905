// Tasks and the places of their inputs: to the node where it is finished first, counting what must be moved.
import type { Core } from "./core.js";
import type { Group } from "./group.js";
import { BUSY } from "./ladder.js";
import type { Node } from "./node.js";
import { finishMs } from "./patience.js";
import type { Task } from "./task.js";

/** Places looked at per input: beyond that, one is as good as another. */
const PLACES_SEEN = 16;
/** How far a node looks down the queue for a task whose values it has, and how often one task is passed over. */
const TASKS_SEEN = 16;
const MOST_PASSED = 32;

/** The node for the task: the freest, or one with inputs where it should be finished sooner. */
export function nearData<Tag>(group: Group, task: Task, freest: Node, core: Core<Tag>): Node {
  const bytes = new Map<Node, number>();
  let total = 0;
  for (const value of task.data!.inputs) {
    total += value.bytes;
    for (let i = 0; i < value.nodes.length && i < PLACES_SEEN; i++) {
      const node = value.nodes[i]!;
      if (node.room.rung < 0 || !node.pool.groups.has(group)) continue;
      bytes.set(node, (bytes.get(node) ?? 0) + value.bytes);
    }
  }
  const { known } = group.durations;
  const idle = freest.room.rung < BUSY;
  const cost = (node: Node): number => {
    const moved = total - (bytes.get(node) ?? 0);
    // While durations are not known, whoever is idle comes before whoever is not.
    if (!known) return (idle && node.room.rung >= BUSY ? Infinity : 0) + moved;
    return finishMs(group, node, core.now) + moved / (node.bytesPerMs ?? core.options.bytesPerMs);
  };
  let best = freest;
  let least = cost(freest);
  for (const node of bytes.keys()) {
    const costs = cost(node);
    if (costs < least) {
      least = costs;
      best = node;
    }
  }
  return best;
}

/** The next task for this node: this one, or a later one of its level with more of its values there. */
export function forNode(first: Task, node: Node): Task {
  let best = first;
  let most = shareAt(first, node);
  if (most >= 1 || first.data!.passed >= MOST_PASSED) return first;
  let task = first.next;
  for (let seen = 0; task !== null && seen < TASKS_SEEN; seen++, task = task.next) {
    // Tasks that failed before look for their node elsewhere.
    const share = task.trouble === null ? shareAt(task, node) : 0;
    if (share <= most) continue;
    most = share;
    best = task;
  }
  if (best !== first) first.data!.passed++;
  return best;
}

/** The part of the task's bytes that the node has. */
function shareAt(task: Task, node: Node): number {
  if (task.data === null) return 0;
  let total = 0;
  let here = 0;
  for (const value of task.data.inputs) {
    total += value.bytes;
    if (node.values.has(value)) here += value.bytes;
  }
  return total > 0 ? here / total : 0;
}
