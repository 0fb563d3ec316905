// Who gets what: idle slots first, then windows; what a full node holds goes back to idle ones; second copies at the end.
import type { Core } from "./core.js";
import type { Group } from "./group.js";
import { forNode, nearData } from "./locality.js";
import { BUSY } from "./ladder.js";
import type { Link } from "./ladder.js";
import type { Node, Pool } from "./node.js";
import { patienceMs, worthIt } from "./patience.js";
import { expectedMs } from "./speed.js";
import { LIVE, MAX_COPIES } from "./task.js";
import type { Task } from "./task.js";

/** A second copy starts when the first has run this many times the median, and at least this much longer. */
const COPY_AFTER = 2;
const COPY_AFTER_MS = 10;
/** Nodes of one rung looked at for one that is worth it. */
const NEIGHBOURS_SEEN = 4;
/** Attempts looked at in one hand for some that may be asked back. */
const RECALL_SEEN = 4096;

export class Placement<Tag> {
  constructor(private readonly core: Core<Tag>) {}

  /** Gives out all that can be given out now. */
  settle(): void {
    const { core } = this;
    this.bringUpToDate();
    if (core.paused) return;
    const groups = this.groupsWithWork();
    const pools = core.dirtyPools;
    core.dirtyPools = [];
    for (const pool of pools) pool.dirty = false;
    // One of each service in turn; alone, a service gets all it wants at once.
    if (groups.length === 1) this.serve(groups[0]!, true);
    else for (let w = groups; w.length > 0;) w = w.filter((group) => this.serve(group, false));
    for (const pool of pools) this.useIdle(pool);
    for (const group of groups) this.copySlowest(group);
  }

  /** At the times that useIdle asked for. */
  tick(): void {
    const { core } = this;
    while (core.copyTimers.topKey() <= core.now) {
      const group = core.copyTimers.top()!;
      core.copyTimers.remove(group);
      this.copySlowest(group);
    }
    while (core.holdTimers.topKey() <= core.now) {
      const { group } = core.holdTimers.top()!;
      this.endHold(group, true);
      core.wake(group);
    }
  }

  private bringUpToDate(): void {
    const { touched } = this.core;
    for (const node of touched) {
      node.touched = false;
      this.core.fillSlots(node);
      node.pool.refresh(node);
      this.core.wakePool(node.pool);
    }
    touched.length = 0;
  }

  private groupsWithWork(): Group[] {
    const { core } = this;
    const groups: Group[] = [];
    for (const pool of core.dirtyPools) {
      const { offers } = pool;
      for (let i = 0; i < offers.length; i++) {
        const { group } = offers[(pool.cursor + i) % offers.length]!;
        if (group.ready > 0 && !group.served) {
          group.served = true;
          groups.push(group);
        }
      }
    }
    for (const group of core.dirtyGroups) {
      group.dirty = false;
      if (group.ready > 0 && !group.served) {
        group.served = true;
        groups.push(group);
      }
    }
    core.dirtyGroups.length = 0;
    for (const group of groups) group.served = false;
    return groups;
  }

  /** Gives out one task of the group, or all. False when nothing more can be given out. */
  private serve(group: Group, all: boolean): boolean {
    if (group.buckets.size > 0 && this.servePicky(group, all) && !all) return true;
    for (;;) {
      const offer = group.room.lowest()?.owner;
      let task = offer === undefined ? null : group.peek();
      if (offer === undefined || task === null) return false;
      if (task.trouble !== null && this.core.othersThan(task.trouble.failedOn, group)) {
        // A node has come that it has not failed on.
        this.core.unqueue(task);
        this.core.ready(task, true);
        this.servePicky(group, true);
        continue;
      }
      const freest = offer.pool.room.lowest()!.owner;
      let node = freest;
      if (task.data !== null && task.data.inputs.length > 0) {
        node = nearData(group, task, freest, this.core);
        if (node === freest) task = forNode(task, freest);
      }
      // Whoever was chosen for its data was found to be soonest, moving included.
      const worthy = node === freest ? this.worthy(group, node) : node;
      if (worthy !== null) {
        node = worthy;
        this.endHold(group, false);
      } else if (!group.impatient) {
        this.holdBack(group);
        return false;
      }
      this.give(task, node);
      if (!all) return true;
    }
  }

  /** The node, or one of its neighbours on the ladder, if its help is worth it. */
  private worthy(group: Group, node: Node): Node | null {
    let link: Link<Node> | null = node.room;
    for (let seen = 0; link !== null && seen < NEIGHBOURS_SEEN; seen++, link = link.next)
      if (worthIt(group, link.owner, this.core.now)) return link.owner;
    return null;
  }

  /** The tasks wait for a better node; if none turns up in time, any will do. */
  private holdBack(group: Group): void {
    if (group.hold.until > 0) return;
    const until = this.core.now + patienceMs(group);
    group.hold.until = until;
    this.core.holdTimers.set(group.hold, until);
  }

  private endHold(group: Group, impatient: boolean): void {
    group.impatient = impatient;
    if (group.hold.until === 0) return;
    group.hold.until = 0;
    this.core.holdTimers.remove(group.hold);
  }

  /** Tasks that failed before: each goes where it has not failed. Whether any could go. */
  private servePicky(group: Group, all: boolean): boolean {
    let any = false;
    for (const bucket of group.buckets.values()) {
      for (let task = bucket.head; task !== null;) {
        const { next } = task;
        const node: Node | null = task.batch.level.turn.share.full ? null : pick(group, bucket.nodes);
        if (node !== null) this.give(task, node);
        else if (!task.batch.level.turn.share.full) break;
        task = next;
        if (node === null) continue;
        any = true;
        if (!all) return true;
      }
      if (group.room.low() < 0) break;
    }
    return any;
  }

  private give(task: Task, node: Node): void {
    const { core } = this;
    const group = task.batch.group;
    core.unqueue(task);
    group.charge(task);
    const offer = node.pool.groups.get(group)!;
    node.pool.cursor = (offer.index + 1) % node.pool.offers.length;
    // Pools that are equally loaded take turns.
    if (group.offers.length > 1) group.room.put(offer.room, offer.room.rung);
    this.start(task, node);
  }

  private start(task: Task, node: Node): void {
    const attempt = this.core.attempts.take(task, node, ++task.lastAttempt);
    attempt.event = this.core.event;
    attempt.timeoutMs = this.core.timeoutMs(task);
    this.core.hold(attempt);
    this.core.outbox.dispatch(attempt);
    node.pool.refresh(node);
  }

  /** Idle slots that no ready task wants: some get tasks that others hold, some a copy of the slowest. */
  private useIdle(pool: Pool): void {
    if (pool.idleSlots === 0) return;
    for (const { group } of pool.offers) {
      if (pool.idleSlots > pool.recalling) this.recall(pool, group);
      this.copySlowest(group);
    }
  }

  private recall(pool: Pool, group: Group): void {
    if (group.hold.until > 0) return;
    while (pool.idleSlots > pool.recalling) {
      const victim = group.laden.highest()?.owner.pool.laden.highest()?.owner;
      if (victim === undefined) return;
      // What waits there may be done before an idle node would have done it.
      const idle = pool.room.lowest()!.owner;
      if (
        group.durations.tell &&
        (expectedMs(group, idle) > (victim.held / victim.slots) * expectedMs(group, victim) ||
          this.worthy(group, idle) === null)
      )
        return;
      const share = Math.ceil((victim.spare * pool.idleSlots) / (pool.idleSlots + victim.slots));
      let asked = 0;
      let seen = 0;
      for (
        let a = victim.last;
        a !== null && !a.started && asked < share && seen < RECALL_SEEN;
        a = a.prev, seen++
      ) {
        // What was given in this same event would hear of the recall first.
        if (a.state !== LIVE || a.recalled || a.event === this.core.event || !this.suits(pool, a.task))
          continue;
        this.core.recall(a, pool);
        asked++;
      }
      if (asked === 0) return;
      victim.pool.refresh(victim);
    }
  }

  /** Whether an idle node of the pool could take the task. */
  private suits(pool: Pool, task: Task): boolean {
    if (!pool.groups.has(task.batch.group)) return false;
    const failedOn = task.trouble?.failedOn;
    return failedOn === undefined || failedOn.length === 0;
  }

  private copySlowest(group: Group): void {
    const { core } = this;
    for (let run = group.oldestRun; run !== null; run = group.oldestRun) {
      if (core.paused || group.ready > 0 || group.room.low() < 0 || group.room.low() >= BUSY) return;
      // Without its inputs, a copy could not start; and nodes that came back may have brought enough of them.
      if (!mayCopyNow(run.task)) {
        group.removeRun(run);
        continue;
      }
      const median = group.median();
      const due = run.startedAt + Math.max(COPY_AFTER * median, median + COPY_AFTER_MS);
      if (due > core.now) {
        if (due < Infinity) core.copyTimers.set(group, due);
        return;
      }
      const node = pick(group, [...nodesOf(run.task), ...(run.task.trouble?.failedOn ?? [])]);
      if (node === null || node.idleSlots === 0) return;
      group.removeRun(run);
      this.start(run.task, node);
    }
    core.copyTimers.remove(group);
  }
}

/** It could start, is not copied enough yet, and has attempts left. */
function mayCopyNow(task: Task): boolean {
  const live = task.liveAttempts;
  const failed = task.trouble?.failed ?? 0;
  return (task.data?.missing ?? 0) === 0 && live < MAX_COPIES && live + failed < task.batch.maxAttempts;
}

function nodesOf(task: Task): Node[] {
  const nodes: Node[] = [];
  for (let a = task.attempts; a !== null; a = a.sibling) nodes.push(a.node);
  return nodes;
}

/** The freest node with room beyond these. */
function pick(group: Group, not: readonly Node[]): Node | null {
  let found: Node | null = null;
  group.room.find(({ pool }) => (found = pool.room.find((node) => !not.includes(node))) !== null);
  return found;
}
