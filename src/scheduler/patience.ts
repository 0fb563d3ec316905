// Near the end of the work, an idle node may be too slow to be worth it: a faster one, soon free, would finish sooner. Then
// the task waits, for a bounded time.
import type { Group } from "./group.js";
import type { Node } from "./node.js";
import { CLASSES, speedOfClass } from "./speed.js";

/** How far the number of ready tasks may drift before the least speed is computed anew. */
const DRIFT = 0.01;
const MOST_PATIENCE_MS = 60_000;

/**
 * The slowest speed worth using for one more task. If all nodes are at random points of their tasks, those of speed s
 * finish s x - 1 further tasks in time x (in units of the mean task at speed 1), when that is positive. The ready tasks
 * are finished at the x at which these add up to them; who cannot finish one until then only delays the end.
 */
export function leastSpeed(group: Group): number {
  const { horizon } = group;
  if (horizon.ready >= 0 && Math.abs(group.ready - horizon.ready) <= DRIFT * horizon.ready)
    return horizon.leastSpeed;
  horizon.ready = group.ready;
  const { work } = group.durations;
  let ready = 0;
  const counted = new Set<Group>();
  for (const { pool } of group.offers)
    for (const { group: other } of pool.offers) {
      if (counted.has(other)) continue;
      counted.add(other);
      // Of what nothing is known, each task is taken for one of these.
      ready +=
        Math.max(other.ready, other === group ? 1 : 0) *
        (other.durations.count > 0 ? other.durations.work / work : 1);
    }
  let slots = 0;
  let rate = 0;
  let x = Infinity;
  for (let c = CLASSES - 1; c >= 0; c--) {
    const speed = speedOfClass(c);
    if (speed * x <= 1) break;
    for (const { pool } of group.offers) {
      slots += pool.slotsIn[c]!;
      rate += pool.slotsIn[c]! * speed;
    }
    if (slots > 0) x = (ready + slots) / rate;
  }
  horizon.x = x;
  // Half a class of tolerance: speeds within a class count as equal.
  horizon.leastSpeed = Math.exp(-0.125) / x;
  return horizon.leastSpeed;
}

/** Whether a further task on this node would be done by the time at which faster ones could have done all. */
export function worthIt(group: Group, node: Node, now: number): boolean {
  if (!group.durations.tell) return true;
  const speed = speedOfClass(node.speedClass) / tasksAhead(group, node, now);
  let rate = 0;
  let busy = 0;
  for (const { pool } of group.offers) {
    rate += pool.rate;
    busy += pool.slots - pool.idleSlots;
  }
  // When nobody is at work, there is nobody to wait for.
  return speed * group.ready >= rate || busy === 0 || speed >= leastSpeed(group);
}

/** Milliseconds until the node would be done with one more task of the group, whose inputs it has. */
export function finishMs(group: Group, node: Node, now: number): number {
  return (tasksAhead(group, node, now) * group.durations.work) / node.speed;
}

/** Until a further task is done: that task, what waits before it in a slot, and what is left of the oldest that runs. */
function tasksAhead(group: Group, node: Node, now: number): number {
  if (node.idleSlots > 0 || node.first === null || group.durations.work === 0) return 1;
  const ran = ((now - node.first.startedAt) * node.speed) / group.durations.work;
  return node.held / node.slots + Math.max(0, 1 - ran);
}

/** How long a task waits at most for a better node, in milliseconds. */
export function patienceMs(group: Group): number {
  leastSpeed(group);
  return Math.min(MOST_PATIENCE_MS, group.horizon.x * group.durations.work);
}
