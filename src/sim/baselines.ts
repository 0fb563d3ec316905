// What the scheduler is compared with: a random node for each task at once, and the first idle node for the next task.
// They know how to lose a node, and nothing else: no copies, no recall, no speeds.
import type { NodeId, TaskId } from "../ids/index.js";
import type { Counts, SchedulerEffect, SchedulerEvent } from "../scheduler/index.js";
import type { Brain } from "./brain.js";
import { FOR, Stream } from "./random.js";

interface BaselineNode {
  readonly id: NodeId;
  readonly slots: number;
  at: number;
  readonly held: Set<number>;
}

abstract class Baseline implements Brain {
  decisions = 0;
  protected now = 0;
  protected readonly nodes = new Map<string, BaselineNode>();
  protected readonly list: BaselineNode[] = [];
  private readonly attempts = new Map<number, number>();
  private service = "";
  private effects = new Map<BaselineNode, TaskId[]>();
  private open = 0;

  protected abstract add(task: number): void;
  protected abstract changed(node: BaselineNode): void;

  handle(event: SchedulerEvent<number>, now: number): SchedulerEffect<number>[] {
    this.now = now;
    const effects: SchedulerEffect<number>[] = [];
    switch (event.type) {
      case "NodeJoined": {
        const node = { id: event.node, slots: event.slots, at: this.list.length, held: new Set<number>() };
        this.nodes.set(node.id, node);
        this.list.push(node);
        this.changed(node);
        break;
      }
      case "NodeLeft":
      case "NodeUnreachable": {
        const node = this.nodes.get(event.node);
        if (node === undefined) break;
        this.nodes.delete(node.id);
        const last = this.list.pop()!;
        if (last !== node) {
          this.list[node.at] = last;
          last.at = node.at;
        }
        for (const task of node.held) this.add(task);
        break;
      }
      case "TasksSubmitted":
        this.service = event.batch.service;
        this.open += event.batch.tags.length;
        for (let i = 0; i < event.batch.tags.length; i++) this.add(event.batch.first + i);
        break;
      case "AttemptsDone": {
        const node = this.nodes.get(event.node);
        const tasks = Array.from(event.tasks, (task) => task as TaskId);
        for (const task of tasks) {
          node?.held.delete(task);
          this.attempts.delete(task);
          this.open--;
        }
        effects.push({
          type: "Solved",
          node: event.node,
          tasks,
          tags: tasks.map(() => 0),
          index: tasks.map((_, i) => i),
        });
        if (node !== undefined) this.changed(node);
        break;
      }
      case "Tick":
        this.tick();
        break;
      default:
        break;
    }
    for (const [node, tasks] of this.effects)
      effects.push({
        type: "Dispatch",
        node: node.id,
        assignments: tasks.map((task) => this.assignment(task)),
      });
    this.effects = new Map();
    return effects;
  }

  nextTimer(): number {
    return Infinity;
  }

  protected tick(): void {
    // Nothing here waits for a time.
  }

  digest(): string {
    return "";
  }

  counts(): Counts {
    return { waiting: this.open, running: 0, blocked: 0, nodes: this.nodes.size, remembered: 0 };
  }

  protected give(task: number, node: BaselineNode): void {
    this.decisions++;
    node.held.add(task);
    const tasks = this.effects.get(node);
    if (tasks === undefined) this.effects.set(node, [task as TaskId]);
    else tasks.push(task as TaskId);
  }

  private assignment(task: TaskId) {
    const attempt = (this.attempts.get(task) ?? 0) + 1;
    this.attempts.set(task, attempt);
    return { task, attempt, tag: 0, service: this.service, attemptTimeoutMs: 0, inputs: [] };
  }
}

/** Nodes that join within this time of the first are there when tasks are given out. */
const GATHER_MS = 200;

/** Each task goes to a random node as soon as there are some, and waits for that one. */
export class RandomNode extends Baseline {
  private readonly homeless: number[] = [];
  private readonly chance: Stream;
  private gatheredAt = Infinity;

  constructor(seed: number) {
    super();
    this.chance = new Stream(seed, FOR.place);
  }

  override nextTimer(): number {
    return this.homeless.length > 0 ? this.gatheredAt : Infinity;
  }

  protected add(task: number): void {
    const { list } = this;
    if (list.length === 0 || this.now < this.gatheredAt) this.homeless.push(task);
    else this.give(task, list[this.chance.below(list.length)]!);
  }

  protected changed(): void {
    if (this.gatheredAt === Infinity) this.gatheredAt = this.now + GATHER_MS;
  }

  protected override tick(): void {
    for (const task of this.homeless.splice(0)) this.add(task);
  }
}

/** The next task goes to the first node with a free slot, whichever that is. */
export class FirstIdle extends Baseline {
  private readonly queue: number[] = [];
  private next = 0;
  private readonly idle: BaselineNode[] = [];

  protected add(task: number): void {
    this.queue.push(task);
    this.match();
  }

  protected changed(node: BaselineNode): void {
    for (let free = node.slots - node.held.size; free > 0; free--) this.idle.push(node);
    this.match();
  }

  private match(): void {
    while (this.next < this.queue.length && this.idle.length > 0) {
      const node = this.idle.pop()!;
      if (this.nodes.get(node.id) === node && node.held.size < node.slots)
        this.give(this.queue[this.next++]!, node);
    }
  }
}
