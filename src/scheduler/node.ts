// What the scheduler keeps of a node, and of the pool of nodes that offer the same services.
import type { Domain, NodeId } from "../ids/index.js";
import type { Group } from "./group.js";
import { Ladder, Link, loadRung } from "./ladder.js";
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
    readonly index: number,
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
  idleSlots = 0;
  /** Tasks asked back for this pool's idle slots, not yet answered. */
  recalling = 0;
  /** The offer to look at first: services take turns. */
  cursor = 0;
  dirty = false;

  constructor(
    readonly key: string,
    readonly domain: Domain,
  ) {}

  /** Brings the ladders up to date after a change at the node. */
  refresh(node: Node): void {
    const open = node.available && node.held < node.window;
    if (open) this.room.put(node.room, loadRung(node.held, node.slots));
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
    const rung = node.reachable && node.spare > 0 ? 31 - Math.clz32(node.spare) : -1;
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
}

export class Node {
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
