// Nodes that come, fall silent, come back, and go. What that means for their tasks and values is decided here.
import type { Domain } from "../ids/index.js";
import type { Availability } from "./availability.js";
import type { Core } from "./core.js";
import type { SchedulerEvent } from "./events.js";
import type { Lineage } from "./lineage.js";
import { meansOf, meets, type Means } from "./needs.js";
import { Node, Pool } from "./node.js";
import type { Outcomes } from "./outcomes.js";
import type { StandIns } from "./stand-ins.js";
import * as T from "./task.js";
import type { Attempt } from "./task.js";

type EventOf<Tag, Type> = Extract<SchedulerEvent<Tag>, { readonly type: Type }>;

export class Membership<Tag> {
  constructor(
    private readonly core: Core<Tag>,
    private readonly outcomes: Outcomes<Tag>,
    private readonly lineage: Lineage<Tag>,
    private readonly standIns: StandIns<Tag>,
    private readonly availability: Availability<Tag>,
  ) {}

  join(event: EventOf<Tag, "NodeJoined">): void {
    const { core } = this;
    const known = core.nodes.get(event.node);
    if (known !== undefined && event.resuming !== true) this.left(known);
    else if (known !== undefined) this.lose(known);
    let node = core.nodes.get(event.node);
    const pool = this.poolFor(event);
    if (node === undefined) {
      node = new Node(event.node, ++core.serial, pool);
      core.nodes.set(node.id, node);
      pool.nodes++;
    } else {
      pool.nodes++;
      this.leavePool(node);
      node.pool = pool;
    }
    node.slots = Math.max(1, Math.floor(event.slots));
    node.window = Math.max(node.slots, Math.floor(event.window));
    node.draining = false;
    if (event.speed !== undefined && event.speed > 0) node.setSpeed(Math.log(event.speed));
    node.setLink(event.bytesPerMs);
    if (event.resuming === true) core.nodeTimers.set(node, core.now + core.options.graceMs);
    else this.availability.change(node, () => (node.reachable = true));
    core.touch(node);
  }

  /** Its link is down: tasks may start elsewhere at once, values wait for the grace. */
  lose(node: Node): void {
    const { core } = this;
    if (!node.reachable) return;
    this.availability.change(node, () => (node.reachable = false));
    core.nodeTimers.set(node, core.now + core.options.graceMs);
    // From the last to the first, so that what returns to the front of its queue keeps its order.
    for (let a = node.last; a !== null; a = a.prev) {
      if (a.state !== T.LIVE) continue;
      core.retire(a);
      a.state = T.LOST;
      const { task } = a;
      if (task.state !== T.RUNNING) continue;
      a.down = a.started;
      if (a.started && !this.outcomes.nodeLost(task, node.id)) continue;
      if (!task.hasLiveAttempt) this.outcomes.tryAgain(task, true);
    }
    this.lineage.unreachable(node);
  }

  left(node: Node): void {
    this.lose(node);
    this.empty(node);
    this.core.nodeTimers.remove(node);
    this.leavePool(node);
    this.core.nodes.delete(node.id);
  }

  resume(event: EventOf<Tag, "NodeResumed">): void {
    const { core } = this;
    const node = core.nodes.get(event.node);
    if (node === undefined) {
      for (const ref of event.running) core.outbox.cancel(event.node, "unknown", ref.task, ref.attempt);
      for (const { value } of event.values) core.outbox.release(event.node, value);
      return;
    }
    this.lose(node);
    core.nodeTimers.remove(node);
    const before = new Set<Attempt>();
    for (let a = node.first; a !== null; a = a.next) before.add(a);
    this.availability.change(node, () => {
      // Its quarantine may have ended while it was away.
      if (node.quarantinedUntil <= core.now) node.quarantinedUntil = 0;
      this.lineage.resumed(node, event.values);
    });
    // Taken up again in the node's own order; what it does not list, it does not have.
    const listed = new Set<Attempt>();
    for (const { task: id, attempt: number } of event.running) {
      const task = core.tasks.get(id) ?? this.standIns.ghost(id, node.pool.domain);
      const old = task.attemptAt(node, number);
      if (old !== null && listed.has(old)) continue;
      if (old !== null) {
        before.delete(old);
        core.free(old);
      }
      const attempt = core.attempts.take(task, node, number);
      if (old !== null) attempt.startedAt = old.startedAt;
      attempt.timeoutMs = old?.timeoutMs ?? core.timeoutMs(task);
      listed.add(attempt);
      const foreign = task.batch.domain !== node.pool.domain;
      const over = !task.open || foreign;
      if (over || old?.state === T.ZOMBIE) {
        attempt.state = T.ZOMBIE;
        const why = foreign || !task.told ? "unknown" : task.state === T.DONE ? "superseded" : "cancelled";
        core.outbox.cancel(node.id, over ? why : "attempt_timeout", id, number);
      } else {
        if (old?.down === true) this.outcomes.nodeFound(task, node.id);
        if (task.state !== T.RUNNING) core.unqueue(task);
        task.lastAttempt = Math.max(task.lastAttempt, number);
      }
      core.hold(attempt);
    }
    // What it was sent into the broken link it never had; that did not take it down either.
    for (const attempt of before) {
      if (attempt.down) this.outcomes.nodeFound(attempt.task, node.id);
      core.free(attempt);
      this.outcomes.backToReady(attempt.task);
    }
    if (node.quarantinedUntil > 0) core.nodeTimers.set(node, node.quarantinedUntil);
    core.touch(node);
  }

  /** Other tasks may go to it from now on; what it holds, it keeps. */
  relabel(node: Node, labels: readonly string[]): void {
    const { domain, services, means } = node.pool;
    const pool = this.pool(domain, [...services], { ...means, labels: [...new Set(labels)].sort() });
    if (pool === node.pool) return;
    const { reachable } = node;
    this.availability.change(node, () => (node.reachable = false));
    pool.nodes++;
    this.leavePool(node);
    node.pool = pool;
    this.availability.change(node, () => (node.reachable = reachable));
  }

  window(node: Node, window: number): void {
    node.window = Math.max(node.slots, Math.floor(window));
    // Asking for work again takes a drain back.
    if (node.draining) this.availability.change(node, () => (node.draining = false));
    this.core.touch(node);
  }

  /** What counts as started stays so: with fewer slots, the next begins when enough has ended. */
  resize(node: Node, slots: number): void {
    node.slots = Math.max(1, Math.floor(slots));
    node.window = Math.max(node.slots, node.window);
    this.core.fillSlots(node);
    this.core.touch(node);
  }

  /** What it runs, it finishes; what it holds beyond that goes elsewhere. */
  drain(node: Node): void {
    if (node.draining) return;
    this.availability.change(node, () => (node.draining = true));
    this.core.recallAll(node);
  }

  tick(): void {
    const { core } = this;
    while (core.nodeTimers.topKey() <= core.now) {
      const node = core.nodeTimers.top()!;
      core.nodeTimers.remove(node);
      // The record stays until NodeLeft: the node may come back yet, with an empty hand.
      if (!node.reachable) this.empty(node);
      else if (node.quarantinedUntil > 0 && node.quarantinedUntil <= core.now)
        this.availability.change(node, () => (node.quarantinedUntil = 0));
      core.touch(node);
    }
  }

  /** Its attempts and values are given up. */
  private empty(node: Node): void {
    for (let a = node.first; a !== null; a = node.first) {
      this.core.free(a);
      this.outcomes.backToReady(a.task);
    }
    this.lineage.gone(node);
  }

  private poolFor(event: EventOf<Tag, "NodeJoined">): Pool {
    const idempotent = new Set(event.idempotent);
    const services = [...new Set(event.services)].sort().map((s) => [s, idempotent.has(s)] as const);
    return this.pool(event.domain, services, meansOf(event));
  }

  private pool(domain: Domain, services: readonly (readonly [string, boolean])[], means: Means): Pool {
    const { core } = this;
    const key = JSON.stringify([domain, services, means]);
    let pool = core.pools.get(key);
    if (pool === undefined) {
      pool = new Pool(key, domain, new Map(services), means);
      for (const [service] of services) {
        pool.connect(core.group(domain, service));
        for (const group of core.pickyGroups(domain, service))
          if (meets(means, group.needs!)) pool.connect(group);
      }
      core.pools.set(key, pool);
    }
    return pool;
  }

  /** The node is not reachable, so it is on none of the pool's ladders once that is refreshed. */
  private leavePool(node: Node): void {
    const pool = node.pool;
    pool.refresh(node);
    if (--pool.nodes > 0) return;
    this.core.pools.delete(pool.key);
    for (const { group } of [...pool.offers]) {
      pool.disconnect(group);
      this.core.dropGroup(group);
    }
  }
}
