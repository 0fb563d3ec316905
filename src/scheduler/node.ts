// What the scheduler keeps of a node, and of the pool of nodes that offer the same services.
import type { Domain, NodeId } from "../ids/index.js";
import type { Group } from "./group.js";
import { meansOf } from "./needs.js";
import type { Means } from "./needs.js";
import { Ladder, Link, loadRung, spareRung } from "./ladder.js";
import { BENCHMARK_SURE, CLASSES, classOf, speedOfClass } from "./speed.js";
import type { Attempt } from "./task.js";
import type { Value } from "./value.js";

/** That a pool offers a group's service: the pool's place on the group's ladders. */
export class Offer {
  readonly room: Link<Offer> = new Link<Offer>(this);
  readonly laden: Link<Offer> = new Link<Offer>(this);
  constructor(
    readonly pool: Pool,
    readonly group: Group,
    /** The operators of these nodes declared the service idempotent. */
    readonly idempotent: boolean,
    /** Position among the pool's offers. */
    public index: number,
  ) {}
}

/** Nodes of one domain with the same services. A change at a node costs O(1) here, however many services it offers. */
export class Pool {
  readonly offers: Offer[] = [];
  readonly groups = new Map<Group, Offer>();
  /** Available nodes with room in their window, by load. */
  readonly room = new Ladder<Node>();
  /** Reachable nodes that hold tasks they have not started, by how many. */
  readonly laden = new Ladder<Node>();
  nodes = 0;
  /** Of its nodes: those that may be given tasks, and those whose link is up. */
  available = 0;
  reachable = 0;
  idleSlots = 0;
  /** Slots of available nodes in each class of speed, what they do together, and the mean logarithm of their speed. */
  readonly slotsIn = new Float64Array(CLASSES);
  slots = 0;
  rate = 0;
  private logs = 0;
  /** The mean class by which nodes stand on the ladder: the mean of some time ago. */
  private base = 0;
  /** Tasks asked back for this pool's idle slots, not yet answered. */
  recalling = 0;
  /** The offer to look at first: services take turns. */
  cursor = 0;
  dirty = false;

  constructor(
    readonly key: string,
    readonly domain: Domain,
    /** Its services, and whether their operators declared them idempotent. */
    readonly services: ReadonlyMap<string, boolean> = new Map(),
    readonly means: Means = meansOf({}),
  ) {}

  /** Its nodes can run the group's tasks. */
  connect(group: Group): void {
    const offer = new Offer(this, group, this.services.get(group.service) === true, this.offers.length);
    this.offers.push(offer);
    this.groups.set(group, offer);
    group.offers.push(offer);
    group.horizon.ready = -1;
    group.available += this.available;
    group.reachable += this.reachable;
    if (this.room.low() >= 0) group.room.put(offer.room, this.room.low());
    if (this.laden.high() >= 0) group.laden.put(offer.laden, this.laden.high());
  }

  disconnect(group: Group): void {
    const offer = this.groups.get(group)!;
    this.groups.delete(group);
    this.offers.splice(offer.index, 1);
    for (const [index, other] of this.offers.entries()) other.index = index;
    this.cursor = 0;
    group.room.remove(offer.room);
    group.laden.remove(offer.laden);
    group.offers.splice(group.offers.indexOf(offer), 1);
    group.horizon.ready = -1;
  }

  /** Brings the ladders up to date after a change at the node. */
  refresh(node: Node): void {
    const { available } = node;
    const speedClass = available ? classOf(node.logSpeed) : -1;
    if (speedClass !== node.speedClass || (available && node.slots !== node.countedSlots))
      this.count(node, speedClass);
    const open = available && node.held < node.window;
    if (open) this.room.put(node.room, loadRung(node.held, node.slots, this.relative(node)));
    else this.room.remove(node.room);
    const idle = open ? Math.max(0, node.slots - node.held) : 0;
    this.idleSlots += idle - node.idleSlots;
    node.idleSlots = idle;
    const low = this.room.low();
    for (const offer of this.offers) {
      if (offer.room.rung === low) break;
      if (low < 0) offer.group.room.remove(offer.room);
      else offer.group.room.put(offer.room, low);
    }
    const rung =
      node.reachable && node.spare > 0 ? spareRung(node.spare / node.slots, this.relative(node)) : -1;
    if (rung === node.laden.rung) return;
    if (rung < 0) this.laden.remove(node.laden);
    else this.laden.put(node.laden, rung);
    const high = this.laden.high();
    for (const offer of this.offers) {
      if (offer.laden.rung === high) break;
      if (high < 0) offer.group.laden.remove(offer.laden);
      else offer.group.laden.put(offer.laden, high);
    }
  }

  /** The node's speed beside the mean of its pool. */
  private relative(node: Node): number {
    if (this.slots === 0) return 1;
    const log = (node.speedClass - this.base) / 4;
    return log > -0.01 && log < 0.01 ? 1 : Math.exp(log);
  }

  private count(node: Node, speedClass: number): void {
    for (const [c, slots] of [
      [node.speedClass, -node.countedSlots],
      [speedClass, node.slots],
    ] as const) {
      if (c < 0) continue;
      this.slotsIn[c]! += slots;
      this.slots += slots;
      this.rate += slots * speedOfClass(c);
      this.logs += slots * c;
    }
    node.speedClass = speedClass;
    node.countedSlots = speedClass < 0 ? 0 : node.slots;
    for (const { group } of this.offers) group.horizon.ready = -1;
    const mean = this.logs / this.slots;
    if (this.slots === 0 || Math.abs(mean - this.base) <= MOST_DRIFT) return;
    this.base = mean;
    for (const other of this.room.all())
      if (other !== node) this.room.put(other.room, loadRung(other.held, other.slots, this.relative(other)));
  }
}

/** In classes of speed: when the mean has moved by more, nodes are put on the ladder anew. */
const MOST_DRIFT = 1;

export class Node {
  /** What is known of its speed: the benchmark, corrected by its durations; and how sure that is. */
  speed = 1;
  logSpeed = 0;
  sure = BENCHMARK_SURE;
  /** As its pool has counted it. */
  speedClass = -1;
  countedSlots = 0;
  /** What its link takes of values; undefined: not measured. */
  bytesPerMs: number | undefined = undefined;
  slots = 1;
  window = 1;
  reachable = false;
  draining = false;
  /** When the quarantine ends; 0: none. */
  quarantinedUntil = 0;
  /** What it holds, oldest first; the first `running` of them are started. */
  first: Attempt | null = null;
  last: Attempt | null = null;
  firstWaiting: Attempt | null = null;
  held = 0;
  running = 0;
  /** Live, not started, not asked back. */
  spare = 0;
  idleSlots = 0;
  readonly room: Link<Node> = new Link<Node>(this);
  readonly laden: Link<Node> = new Link<Node>(this);
  readonly values = new Set<Value>();
  /** Failures in a row, of different tasks. */
  streak = 0;
  lastFailed = -1;
  touched = false;
  outboxAt = -1;
  heapAt = -1;

  constructor(
    readonly id: NodeId,
    readonly serial: number,
    public pool: Pool,
  ) {}

  /** It may be given tasks. */
  get available(): boolean {
    return this.reachable && !this.draining && this.quarantinedUntil === 0;
  }

  setSpeed(logSpeed: number): void {
    this.logSpeed = logSpeed;
    this.speed = Math.exp(logSpeed);
  }

  setLink(bytesPerMs: number | undefined): void {
    if (bytesPerMs !== undefined && bytesPerMs > 0) this.bytesPerMs = bytesPerMs;
  }

  push(attempt: Attempt): void {
    attempt.prev = this.last;
    attempt.next = null;
    if (this.last === null) this.first = attempt;
    else this.last.next = attempt;
    this.last = attempt;
    this.held++;
    if (this.firstWaiting === null) this.firstWaiting = attempt;
  }

  remove(attempt: Attempt): void {
    if (this.firstWaiting === attempt) this.firstWaiting = attempt.next;
    if (attempt.prev === null) this.first = attempt.next;
    else attempt.prev.next = attempt.next;
    if (attempt.next === null) this.last = attempt.prev;
    else attempt.next.prev = attempt.prev;
    attempt.prev = attempt.next = null;
    this.held--;
  }
}
