// The scheduler: handle(event, now) -> effects. Pure: no clock, no socket, no randomness but its seed's.
// This file is its face; outcomes.ts, membership.ts, lineage.ts and placement.ts hold the decisions.
import type { Domain, NodeId, SessionId, TaskId } from "../ids/index.js";
import { Availability } from "./availability.js";
import { Core, groupKey } from "./core.js";
import type { Place, SchedulerEffect, SchedulerEvent, SchedulerOptions, ValueRef } from "./events.js";
import { freeze, thaw } from "./image.js";
import type { Image } from "./image.js";
import { Lineage } from "./lineage.js";
import { StandIns } from "./stand-ins.js";
import { Membership } from "./membership.js";
import type { Node } from "./node.js";
import { Outcomes } from "./outcomes.js";
import { Placement } from "./placement.js";
import * as T from "./task.js";

/** A node as others may see it. */
export interface NodeView {
  readonly id: NodeId;
  readonly domain: Domain;
  readonly slots: number;
  readonly window: number;
  /** Attempts within its slots, and all it holds, with those that were told to stop and have not answered. */
  readonly running: number;
  readonly held: number;
  readonly reachable: boolean;
  readonly draining: boolean;
  readonly quarantined: boolean;
  /** What is known of how fast it is, beside others. */
  readonly speed: number;
}

/** An attempt in a slot. */
export interface RunningAttempt<Tag> {
  readonly task: TaskId;
  readonly attempt: number;
  readonly tag: Tag;
  readonly service: string;
  readonly startedAt: number;
}

export interface TaskView<Tag> {
  readonly id: TaskId;
  readonly tag: Tag;
  /** "failed" and "solved" are seen only while something still refers to the task. */
  readonly state: (typeof T.STATE_NAMES)[number];
  readonly attempts: number;
  /** Where it is taken to be running. */
  readonly nodes: readonly NodeId[];
  /** When the first of them began it; below 0: it has not. */
  readonly startedAt: number;
}

export interface Counts {
  readonly waiting: number;
  readonly running: number;
  readonly blocked: number;
  readonly nodes: number;
  /** Tasks kept in memory: the open ones, those whose values may be wanted, those a node has not let go of. */
  readonly remembered: number;
}

const LEAST_WEIGHT = 1e-3;

export class Scheduler<Tag> {
  private readonly core: Core<Tag>;
  private readonly standIns: StandIns<Tag>;
  private readonly lineage: Lineage<Tag>;
  private readonly outcomes: Outcomes<Tag>;
  private readonly membership: Membership<Tag>;
  private readonly placement: Placement<Tag>;

  constructor(options: Partial<SchedulerOptions> = {}, seed = 1, image?: Image) {
    this.core = image === undefined ? new Core(options, seed) : (thaw(image) as Core<Tag>);
    this.standIns = new StandIns(this.core);
    this.lineage = new Lineage(this.core, this.standIns);
    const availability = new Availability(this.core);
    this.outcomes = new Outcomes(this.core, this.lineage, availability);
    this.membership = new Membership(this.core, this.outcomes, this.lineage, this.standIns, availability);
    this.placement = new Placement(this.core);
  }

  /** Takes one event at time `now` (milliseconds, never going back) and says what to do, in order. */
  handle(event: SchedulerEvent<Tag>, now: number): SchedulerEffect<Tag>[] {
    this.core.now = Math.max(this.core.now, now);
    this.core.event++;
    this.apply(event);
    this.outcomes.sweep();
    this.placement.settle();
    this.core.attempts.turn();
    return this.core.outbox.flush();
  }

  /** When a Tick is due; Infinity: only another event can change anything. */
  nextTimer(): number {
    const { attemptTimers, nodeTimers, restTimers, deadlines, copyTimers, holdTimers } = this.core;
    return Math.min(
      attemptTimers.topKey(),
      nodeTimers.topKey(),
      restTimers.topKey(),
      deadlines.topKey(),
      copyTimers.topKey(),
      holdTimers.topKey(),
    );
  }

  counts(): Counts {
    const { counts, nodes, tasks } = this.core;
    return {
      waiting: counts[T.READY]! + counts[T.PICKY]! + counts[T.RESTING]!,
      running: counts[T.RUNNING]!,
      blocked: counts[T.BLOCKED]!,
      nodes: nodes.size,
      remembered: tasks.size,
    };
  }

  /** Assignments so far. */
  get decisions(): number {
    return this.core.outbox.decisions;
  }

  /** Whether a reachable node offers the service. */
  offers(domain: Domain, service: string): boolean {
    return (this.core.groups.get(groupKey(domain, service))?.reachable ?? 0) > 0;
  }

  /** Why a waiting task may not go to an idle node: it waits for a better one, for a bounded time, or avoids this one. */
  look(id: number): { state: string; heldUntil: number; full: boolean; avoids: NodeId[] } {
    const task = this.core.tasks.get(id);
    if (task === undefined) return { state: "unknown", heldUntil: 0, full: false, avoids: [] };
    return {
      state: T.STATE_NAMES[task.state]!,
      heldUntil: task.batch.group.hold.until,
      full: task.batch.level.turn.share.full,
      avoids: task.trouble?.failedOn.map((node) => node.id) ?? [],
    };
  }

  task(id: TaskId): TaskView<Tag> | undefined {
    const task = this.core.tasks.get(id);
    if (task === undefined) return undefined;
    const nodes: NodeId[] = [];
    let startedAt = -1;
    for (let a = task.attempts; a !== null; a = a.sibling)
      if (a.state === T.LIVE) {
        nodes.push(a.node.id);
        if (nodes.length === 1) startedAt = a.startedAt;
      }
    // Only batches of this Tag come in, so what a task carries is one.
    return {
      id,
      tag: task.tag as Tag,
      state: T.STATE_NAMES[task.state]!,
      attempts: task.lastAttempt,
      nodes,
      startedAt,
    };
  }

  /** Where a value can be had now. */
  places(value: ValueRef): Place[] {
    return this.lineage.places(value);
  }

  /** Whether an unreachable node has values that something waits for and that nobody else has. */
  withholds(id: NodeId): boolean {
    const node = this.core.nodes.get(id);
    return node !== undefined && !node.reachable && this.lineage.withholds(node);
  }

  node(id: NodeId): NodeView | undefined {
    const node = this.core.nodes.get(id);
    return node === undefined ? undefined : view(node);
  }

  *nodes(): IterableIterator<NodeView> {
    for (const node of this.core.nodes.values()) yield view(node);
  }

  /** What runs in a node's slots, oldest first. */
  *running(id: NodeId): IterableIterator<RunningAttempt<Tag>> {
    const node = this.core.nodes.get(id);
    if (node === undefined) return;
    let left = node.running;
    for (let at = node.first; at !== null && left > 0; at = at.next) {
      if (!at.started) continue;
      left--;
      const { task, number, startedAt } = at;
      yield { task: task.id, attempt: number, tag: task.tag as Tag, service: task.batch.service, startedAt };
    }
  }

  /** All that the scheduler knows, as data, but for the tags; the constructor takes it back. */
  image(): Image {
    return freeze(this.core);
  }

  /** A hash of every decision so far: the same events and the same seed give the same. */
  digest(): string {
    return this.core.outbox.digest();
  }

  private apply(event: SchedulerEvent<Tag>): void {
    const { core, outcomes, membership, lineage } = this;
    switch (event.type) {
      case "TasksSubmitted":
        return outcomes.submit(event.batch);
      case "AttemptsDone":
        return outcomes.done(event);
      case "AttemptFailed":
        return outcomes.attemptFailed(event);
      case "AttemptsDropped":
        return outcomes.dropped(event);
      case "TasksCancelled":
        return outcomes.cancel(event.tasks);
      case "NodeJoined":
        return membership.join(event);
      case "NodeResumed":
        return membership.resume(event);
      case "NodeWindow":
        return this.withNode(event.node, (node) => membership.window(node, event.window));
      case "NodeSlots":
        return this.withNode(event.node, (node) => membership.resize(node, event.slots));
      case "NodeUnreachable":
        return this.withNode(event.node, (node) => membership.lose(node));
      case "NodeLeft":
        return this.withNode(event.node, (node) => membership.left(node));
      case "NodeDraining":
        return this.withNode(event.node, (node) => membership.drain(node));
      case "ValueGiven":
        return this.standIns.given(event.value, event.domain, event.bytes);
      case "ValuesWanted":
        return lineage.want(event.values);
      case "NodeLabels":
        return this.withNode(event.node, (node) => this.membership.relabel(node, event.labels));
      case "NodeLink":
        return this.withNode(event.node, (node) => node.setLink(event.bytesPerMs));
      case "NodeDistrusted":
        return this.withNode(event.node, (node) => outcomes.distrust(node, event.forMs, event.why));
      case "ValuesReleased":
        return lineage.release(event.values);
      case "ValueCopied":
        return lineage.copied(event.value, event.bytes, event.place);
      case "ValueLost":
        return lineage.lostAt(event.value, event.place);
      case "SessionShare":
        return this.entitle(event.session, event.weight ?? 1, event.maxRunning ?? Infinity);
      case "DispatchPaused":
        core.paused = true;
        return;
      case "DispatchResumed":
        core.paused = false;
        return;
      case "Tick":
        outcomes.tick();
        membership.tick();
        return this.placement.tick();
      default:
        return event satisfies never;
    }
  }

  private entitle(session: SessionId, weight: number, maxRunning: number): void {
    const { core } = this;
    const share = core.share(session);
    // Below these, a session would wait for ever.
    share.set(Math.max(LEAST_WEIGHT, weight), Math.max(1, Math.floor(maxRunning)));
    for (const { group } of share.turns) core.wake(group);
    core.dropShare(share);
  }

  /** A node that is not known has left already: what is said of it comes too late. */
  private withNode(id: NodeId, then: (node: Node) => void): void {
    const node = this.core.nodes.get(id);
    if (node !== undefined) then(node);
  }
}

function view(node: Node): NodeView {
  return {
    id: node.id,
    domain: node.pool.domain,
    slots: node.slots,
    window: node.window,
    running: node.running,
    held: node.held,
    reachable: node.reachable,
    draining: node.draining,
    quarantined: node.quarantinedUntil > 0,
    speed: node.speed,
  };
}
