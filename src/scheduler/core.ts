// The scheduler's state and its smallest changes: a task enters, queues, is held by a node, leaves. No policy here.
import type { Domain, SessionId } from "../ids/index.js";
import { ADAPTIVE, DEFAULT_SCHEDULER_OPTIONS } from "./events.js";
import type { Needs, SchedulerOptions } from "./events.js";
import { Attempts } from "./attempts.js";
import { Group } from "./group.js";
import type { Hold } from "./group.js";
import { Heap } from "./heap.js";
import { Node, Pool } from "./node.js";
import { meets, needsKey } from "./needs.js";
import { Outbox } from "./outbox.js";
import type { CancelWhy } from "./outbox.js";
import { Share } from "./share.js";
import { TaskTable } from "./table.js";
import * as T from "./task.js";
import type { Attempt, Batch, Task } from "./task.js";

export class Core<Tag> {
  readonly options: SchedulerOptions;
  readonly outbox: Outbox<Tag>;
  readonly tasks = new TaskTable();
  readonly attempts = new Attempts();
  readonly groups = new Map<string, Group>();
  readonly pools = new Map<string, Pool>();
  readonly shares = new Map<SessionId, Share>();
  /** Stand for tasks that were forgotten, one batch for each domain. */
  readonly foreign = new Map<Domain, Batch>();
  /** Stand for the makers of clients' own values. */
  readonly givens = new Map<Domain, Batch>();
  /** Nodes so far. */
  serial = 0;
  private readonly picky = new Map<string, Set<Group>>();
  readonly nodes = new Map<string, Node>();
  /** Tasks in each state. */
  readonly counts = [0, 0, 0, 0, 0, 0, 0];
  readonly attemptTimers = new Heap<Attempt>();
  readonly nodeTimers = new Heap<Node>();
  readonly restTimers = new Heap<Task>();
  readonly deadlines = new Heap<Batch>();
  readonly copyTimers = new Heap<Group>();
  readonly holdTimers = new Heap<Hold>();
  now = 0;
  /** Events so far. */
  event = 0;
  paused = false;
  /** Since the last placement: nodes whose hand changed, pools with new room, groups with new tasks. */
  touched: Node[] = [];
  dirtyPools: Pool[] = [];
  dirtyGroups: Group[] = [];
  private state: number;

  constructor(options: Partial<SchedulerOptions>, seed: number) {
    this.options = { ...DEFAULT_SCHEDULER_OPTIONS, ...options };
    this.outbox = new Outbox(this.options.maxDispatch, seed);
    this.state = seed | 0;
  }

  /** In [0, 1): the only randomness there is (mulberry32). */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** The group of those that need the service and nothing else, or these things too. */
  group(domain: Domain, service: string, needs?: Needs): Group {
    const base = groupKey(domain, service);
    const more = needsKey(needs);
    const key = more === "" ? base : `${base}\n${more}`;
    let group = this.groups.get(key);
    if (group !== undefined) return group;
    if (more === "") {
      group = new Group(key, domain, service);
      this.groups.set(key, group);
      return group;
    }
    // How long the service's tasks take is known already, if anything is.
    group = new Group(key, domain, service, needs, this.groups.get(base)?.durations);
    this.groups.set(key, group);
    let picky = this.picky.get(base);
    if (picky === undefined) this.picky.set(base, (picky = new Set()));
    picky.add(group);
    for (const pool of this.pools.values())
      if (pool.domain === domain && pool.services.has(service) && meets(pool.means, group.needs!))
        pool.connect(group);
    return group;
  }

  /** The service's groups of tasks that need more than the service. */
  pickyGroups(domain: Domain, service: string): Iterable<Group> {
    return this.picky.get(groupKey(domain, service)) ?? [];
  }

  /** Forgets a group without nodes and tasks; or without tasks, if it was for tasks with needs. */
  dropGroup(group: Group): void {
    if (group.open > 0 || (group.needs === undefined && group.offers.length > 0)) return;
    this.groups.delete(group.key);
    this.copyTimers.remove(group);
    this.holdTimers.remove(group.hold);
    if (group.needs === undefined) return;
    for (const { pool } of [...group.offers]) pool.disconnect(group);
    const base = groupKey(group.domain, group.service);
    const picky = this.picky.get(base);
    picky?.delete(group);
    if (picky?.size === 0) this.picky.delete(base);
  }

  share(session: SessionId): Share {
    let share = this.shares.get(session);
    if (share === undefined) this.shares.set(session, (share = new Share(session)));
    return share;
  }

  /** Forgets a share that says nothing and that nobody uses. */
  dropShare(share: Share): void {
    if (share.plain && share.turns.size === 0 && share.running === 0) this.shares.delete(share.session);
  }

  setState(task: Task, state: number): void {
    const before = task.state;
    this.counts[before]!--;
    this.counts[state]!++;
    task.state = state;
    if (before === state) return;
    const { share } = task.batch.level.turn;
    if (state === T.RUNNING) share.started();
    else if (before === T.RUNNING && share.ended()) for (const { group } of share.turns) this.wake(group);
  }

  /** A new task, blocked until somebody queues it. */
  enter(task: Task): void {
    this.counts[T.BLOCKED]!++;
    this.tasks.add(task);
    task.batch.open++;
    task.batch.group.enter(task.batch.level.turn);
  }

  /** A task that was done is needed again. */
  reenter(task: Task): void {
    const batch = task.batch;
    if (batch.open === 0) {
      // The group and the session's turn may have been forgotten since.
      batch.group = this.group(batch.domain, batch.service, batch.needs);
      batch.level = batch.group.level(this.share(batch.session), batch.priority);
    }
    batch.open++;
    batch.group.enter(batch.level.turn);
    this.setState(task, T.BLOCKED);
  }

  /** The task is done or over. */
  leave(task: Task, state: number): void {
    this.unqueue(task);
    this.setState(task, state);
    const batch = task.batch;
    if (--batch.open === 0) this.deadlines.remove(batch);
    const { turn } = batch.level;
    batch.group.leave(turn);
    if (turn.open === 0) this.dropShare(turn.share);
    if (batch.group.open === 0) this.dropGroup(batch.group);
  }

  forget(task: Task): void {
    if (this.tasks.delete(task)) this.counts[task.state]!--;
  }

  /** As ready as its inputs allow; `again`: it has waited its turn before, and goes first. */
  ready(task: Task, again: boolean): void {
    const group = task.batch.group;
    if (task.data !== null && task.data.missing > 0) {
      this.setState(task, T.BLOCKED);
      return;
    }
    if (task.trouble !== null && this.othersThan(task.trouble.failedOn, group)) {
      this.setState(task, T.PICKY);
      group.addPicky(task);
    } else {
      this.setState(task, T.READY);
      group.queue(task, again);
    }
    this.wake(group);
  }

  /** Whether somebody beyond these could run the group's tasks. False when there are none of these. */
  othersThan(nodes: readonly Node[], group: Group): boolean {
    if (nodes.length === 0) return false;
    let able = 0;
    for (const node of nodes) if (node.available && node.pool.groups.has(group)) able++;
    return group.available > able;
  }

  /** Out of whatever it waits in; its state is then the caller's to set. */
  unqueue(task: Task): void {
    const group = task.batch.group;
    if (task.state === T.READY) group.unqueue(task);
    else if (task.state === T.PICKY) group.removePicky(task);
    else if (task.state === T.RESTING) {
      group.resting.remove(task);
      this.restTimers.remove(task);
    }
  }

  /** The node now holds this attempt, last in its hand. */
  hold(attempt: Attempt): void {
    const { task, node } = attempt;
    attempt.sibling = task.attempts;
    task.attempts = attempt;
    node.push(attempt);
    if (attempt.state === T.LIVE) {
      node.spare++;
      if (task.state !== T.RUNNING) this.setState(task, T.RUNNING);
    }
    if (node.running < node.slots) this.startNext(node);
  }

  /** Whatever is within the node's slots counts as started. */
  fillSlots(node: Node): void {
    while (node.running < node.slots && node.firstWaiting !== null) this.startNext(node);
  }

  /** The attempt is answered, or its node is gone: it holds no place any more. */
  free(attempt: Attempt): void {
    const { task, node } = attempt;
    this.retire(attempt);
    node.remove(attempt);
    if (attempt.started) node.running--;
    if (task.attempts === attempt) task.attempts = attempt.sibling;
    else {
      let before = task.attempts!;
      while (before.sibling !== attempt) before = before.sibling!;
      before.sibling = attempt.sibling;
    }
    attempt.sibling = null;
    this.attempts.giveBack(attempt);
    this.touch(node);
  }

  /** Tells the node to stop; the attempt keeps its place until the node answers. */
  cancel(attempt: Attempt, why: CancelWhy): void {
    if (attempt.state === T.ZOMBIE) return;
    this.retire(attempt);
    attempt.state = T.ZOMBIE;
    this.touch(attempt.node);
    if (attempt.node.reachable) this.outbox.cancel(attempt.node.id, why, attempt.task.id, attempt.number);
  }

  /** The attempt is not waited for any more: no timer, no recall, no copy. */
  retire(attempt: Attempt): void {
    this.attemptTimers.remove(attempt);
    attempt.task.batch.group.removeRun(attempt);
    if (attempt.recalled) endRecall(attempt);
    else if (attempt.state === T.LIVE && !attempt.started) attempt.node.spare--;
  }

  /** Asks the node for an attempt it has not started, for this pool's idle slots if it is for some. */
  recall(attempt: Attempt, pool: Pool | null): void {
    attempt.recalled = true;
    attempt.recalledFor = pool;
    if (pool !== null) pool.recalling++;
    attempt.node.spare--;
    this.outbox.recall(attempt);
  }

  recallAll(node: Node): void {
    for (let a = node.firstWaiting; a !== null; a = a.next)
      if (a.state === T.LIVE && !a.recalled) this.recall(a, null);
    this.touch(node);
  }

  /** A rest before the task may go back to a node it failed on: twice as long each time. */
  backOff(task: Task): void {
    const { backoffMs, maxBackoffMs } = this.options;
    const wait = Math.min(maxBackoffMs, backoffMs * 2 ** task.trouble!.rests++);
    this.setState(task, T.RESTING);
    task.batch.group.resting.push(task);
    // A little less for each, so that what failed together does not come back together.
    this.restTimers.set(task, this.now + wait * (1 - 0.2 * this.random()));
  }

  /** Milliseconds an attempt of the task may run; 0: as long as it likes. */
  timeoutMs(task: Task): number {
    const { attemptTimeoutMs, group } = task.batch;
    if (attemptTimeoutMs !== ADAPTIVE) return attemptTimeoutMs;
    const longest = group.longest();
    if (longest === 0) return 0;
    const { adaptiveTimes, adaptiveLeastMs } = this.options;
    return Math.ceil(Math.max(adaptiveLeastMs, adaptiveTimes * longest) * 2 ** (task.trouble?.failed ?? 0));
  }

  touch(node: Node): void {
    if (node.touched) return;
    node.touched = true;
    this.touched.push(node);
  }

  wake(group: Group): void {
    if (group.dirty) return;
    group.dirty = true;
    this.dirtyGroups.push(group);
  }

  wakePool(pool: Pool): void {
    if (pool.dirty) return;
    pool.dirty = true;
    this.dirtyPools.push(pool);
  }

  private startNext(node: Node): void {
    const attempt = node.firstWaiting!;
    node.firstWaiting = attempt.next;
    node.running++;
    if (attempt.state === T.LIVE) {
      if (attempt.recalled) endRecall(attempt);
      else node.spare--;
    }
    attempt.started = true;
    if (attempt.startedAt < 0) attempt.startedAt = this.now;
    if (attempt.state !== T.LIVE) return;
    const { batch } = attempt.task;
    if (attempt.timeoutMs > 0)
      this.attemptTimers.set(attempt, attempt.startedAt + attempt.timeoutMs + this.options.timeoutSlackMs);
    if (attempt.task.liveAttempts < T.MAX_COPIES && mayCopy(attempt)) batch.group.addRun(attempt);
  }
}

export function groupKey(domain: Domain, service: string): string {
  return `${domain}\n${service}`;
}

function endRecall(attempt: Attempt): void {
  attempt.recalled = false;
  if (attempt.recalledFor !== null) attempt.recalledFor.recalling--;
  attempt.recalledFor = null;
}

/** The client or the operator said that running it twice does no harm. */
function mayCopy(attempt: Attempt): boolean {
  const { batch } = attempt.task;
  return batch.idempotent || attempt.node.pool.groups.get(batch.group)?.idempotent === true;
}
