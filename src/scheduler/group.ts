// The tasks of one domain that need one service: who is next, fairly between sessions. Where they go is placement.ts.
import type { Domain, SessionId } from "../ids/index.js";
import { Heap } from "./heap.js";
import { Ladder } from "./ladder.js";
import type { Needs } from "./events.js";
import type { Share } from "./share.js";
import { Durations } from "./speed.js";
import type { Node, Offer } from "./node.js";
import { TaskList } from "./task.js";
import type { Attempt, Task } from "./task.js";

/** Ready tasks of one session with one priority. */
export class Level extends TaskList {
  heapAt = -1;
  constructor(
    readonly turn: Turn,
    readonly priority: number,
  ) {
    super();
  }
}

/** One session's place in the order: each task it is given moves it back by one. */
export class Turn {
  heapAt = -1;
  /** Virtual time: tasks given so far, never behind the group's clock when it becomes active. */
  spent = 0;
  /** Mean milliseconds of its tasks at speed 1, of this many. */
  work = 0;
  samples = 0;
  /** Open tasks; without any, the turn is forgotten. */
  open = 0;
  readonly levels = new Map<number, Level>();
  readonly active = new Heap<Level>();
  constructor(
    readonly group: Group,
    readonly share: Share,
  ) {}
}

/** Ready tasks that failed on exactly these nodes. */
export class Bucket extends TaskList {
  constructor(
    readonly key: string,
    readonly nodes: readonly Node[],
  ) {
    super();
  }
}

/** A group's place among those whose patience ends at some time. */
export interface Hold {
  readonly group: Group;
  until: number;
  heapAt: number;
}

const SAMPLES = 32;

export class Group {
  /** Pools that have room, by the load of their least loaded node. */
  readonly room = new Ladder<Offer>();
  /** Pools with tasks that could be asked back, by how many the fullest node holds. */
  readonly laden = new Ladder<Offer>();
  /** Whose nodes can run its tasks. */
  readonly offers: Offer[] = [];
  /** Nodes that may be given tasks, and those whose link is up. */
  available = 0;
  reachable = 0;
  open = 0;
  ready = 0;
  private readonly turns = new Map<SessionId, Turn>();
  private readonly active = new Heap<Turn>();
  private clock = 0;
  readonly buckets = new Map<string, Bucket>();
  /** The most nodes that any bucket was for. */
  widestBucket = 0;
  readonly resting = new TaskList();
  dirty = false;
  served = false;
  /** In the heap of times at which a second copy may be worth it. */
  heapAt = -1;
  oldestRun: Attempt | null = null;
  youngestRun: Attempt | null = null;
  /** Who failed since somebody last succeeded: several nodes mean that the service is to blame, not a node. */
  failing: Node | null = null;
  severalFail = false;
  /** See patience.ts: the slowest speed worth using, and for how many ready tasks that was computed (-1: not for these nodes). */
  readonly horizon = { ready: -1, leastSpeed: 0, x: 0 };
  /** While tasks wait for a better node than the idle ones: until when. */
  readonly hold: Hold = { group: this, until: 0, heapAt: -1 };
  /** They have waited long enough: whatever node there is will do, until a good one is there again. */
  impatient = false;
  private readonly lastDurations: number[] = [];
  private nextSample = 0;

  constructor(
    readonly key: string,
    readonly domain: Domain,
    readonly service: string,
    /** What its tasks need of a node besides; undefined: nothing. */
    readonly needs?: Needs,
    readonly durations: Durations = new Durations(),
  ) {}

  level(share: Share, priority: number): Level {
    const { session } = share;
    let turn = this.turns.get(session);
    if (turn === undefined) {
      this.turns.set(session, (turn = new Turn(this, share)));
      share.turns.add(turn);
    }
    let level = turn.levels.get(priority);
    if (level === undefined) turn.levels.set(priority, (level = new Level(turn, priority)));
    return level;
  }

  enter(turn: Turn): void {
    turn.open++;
    this.open++;
  }

  leave(turn: Turn): void {
    this.open--;
    turn.open--;
    this.tidy(turn);
  }

  tidy(turn: Turn): void {
    if (turn.open > 0) return;
    this.turns.delete(turn.share.session);
    turn.share.turns.delete(turn);
  }

  /** Puts a ready task at the end of its level, or at the front when it has been there before. */
  queue(task: Task, again: boolean): void {
    const level = task.batch.level;
    if (level.head === null) this.activate(level);
    if (again) level.unshift(task);
    else level.push(task);
    this.ready++;
  }

  unqueue(task: Task): void {
    const level = task.batch.level;
    level.remove(task);
    this.ready--;
    if (level.head === null) this.deactivate(level);
  }

  /** The next task in fair order, without taking it. */
  peek(): Task | null {
    return this.active.top()?.active.top()?.head ?? null;
  }

  /** Books a task to its session. */
  charge(task: Task): void {
    const turn = task.batch.level.turn;
    if (turn.spent > this.clock) this.clock = turn.spent;
    turn.spent += this.costOf(turn) / turn.share.weight;
    if (turn.heapAt >= 0) this.active.set(turn, turn.spent);
  }

  /** What a task of this session costs, in mean tasks of the group. */
  private costOf(turn: Turn): number {
    return turn.samples > 0 && this.durations.tell ? turn.work / this.durations.work : 1;
  }

  addPicky(task: Task): void {
    const nodes = task.trouble!.failedOn;
    const key = nodes
      .map((n) => n.serial)
      .sort((a, b) => a - b)
      .join();
    let bucket = this.buckets.get(key);
    if (bucket === undefined) this.buckets.set(key, (bucket = new Bucket(key, nodes.slice())));
    bucket.push(task);
    this.widestBucket = Math.max(this.widestBucket, nodes.length);
    task.trouble!.bucket = bucket;
    this.ready++;
  }

  removePicky(task: Task): void {
    const bucket = task.trouble!.bucket!;
    bucket.remove(task);
    task.trouble!.bucket = null;
    if (bucket.head === null) this.buckets.delete(bucket.key);
    this.ready--;
  }

  addRun(attempt: Attempt): void {
    attempt.copyable = true;
    attempt.olderRun = this.youngestRun;
    if (this.youngestRun === null) this.oldestRun = attempt;
    else this.youngestRun.youngerRun = attempt;
    this.youngestRun = attempt;
  }

  removeRun(attempt: Attempt): void {
    if (!attempt.copyable) return;
    attempt.copyable = false;
    if (attempt.olderRun === null) this.oldestRun = attempt.youngerRun;
    else attempt.olderRun.youngerRun = attempt.youngerRun;
    if (attempt.youngerRun === null) this.youngestRun = attempt.olderRun;
    else attempt.youngerRun.olderRun = attempt.olderRun;
    attempt.olderRun = attempt.youngerRun = null;
  }

  /** Remembers how long a task took. */
  sample(ms: number): void {
    this.lastDurations[this.nextSample] = ms;
    this.nextSample = (this.nextSample + 1) % SAMPLES;
  }

  /** Of the last durations; Infinity while too few are known. */
  median(): number {
    if (this.lastDurations.length < 3) return Infinity;
    return this.lastDurations.slice().sort((a, b) => a - b)[this.lastDurations.length >> 1]!;
  }

  /** The longest of the last durations; 0 while too few are known. */
  longest(): number {
    return this.lastDurations.length < 3 ? 0 : Math.max(...this.lastDurations);
  }

  private activate(level: Level): void {
    const turn = level.turn;
    if (turn.active.size === 0) {
      if (turn.spent < this.clock) turn.spent = this.clock;
      if (!turn.share.full) this.active.set(turn, turn.spent);
    }
    turn.active.set(level, -level.priority);
  }

  /** The session has as many tasks at nodes as it may have. */
  park(turn: Turn): void {
    this.active.remove(turn);
  }

  unpark(turn: Turn): void {
    if (turn.active.size === 0 || turn.heapAt >= 0) return;
    if (turn.spent < this.clock) turn.spent = this.clock;
    this.active.set(turn, turn.spent);
  }

  private deactivate(level: Level): void {
    const turn = level.turn;
    turn.active.remove(level);
    if (turn.active.size === 0) this.active.remove(turn);
  }
}
