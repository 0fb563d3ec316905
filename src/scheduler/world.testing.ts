// For tests: a small world of nodes, links and clients round the scheduler. It obeys the effects, makes what trouble it
// is told to, and throws as soon as a law is broken. Its own books are kept apart from the scheduler's.
import type { AttemptRef, SchedulerEffect, SchedulerEvent, TaskBatch, ValueRef } from "./events.js";
import type { Domain, NodeId, SessionId, TaskId } from "../ids/index.js";
import { Scheduler } from "./scheduler.js";

interface Held extends AttemptRef {
  told: boolean;
}

interface VirtualNode {
  readonly id: NodeId;
  readonly domain: Domain;
  slots: number;
  window: number;
  readonly services: readonly string[];
  linked: boolean;
  draining: boolean;
  quarantinedUntil: number;
  hand: Held[];
  orders: { readonly kind: "cancel" | "recall"; readonly task: TaskId; readonly attempt: number }[];
  unsent: AttemptRef[];
  values: Set<string>;
}

interface VirtualTask {
  readonly id: TaskId;
  readonly batch: TaskBatch<number>;
  readonly inputs: readonly ValueRef[];
  over: "solved" | "failed" | null;
  failures: number;
  downs: number;
  finalFailure: boolean;
  cancelled: boolean;
  readonly failedOn: Set<NodeId>;
  /** "node attempt" of attempts that the scheduler counts on. */
  readonly live: Set<string>;
  readonly attempts: Set<number>;
}

export const DOMAINS = ["166", "167"] as Domain[];
export const SERVICES = ["s", "x"];
const OUTPUTS = 2;

const key = (value: ValueRef) => `${value.task}.${value.output}`;

export class World {
  readonly scheduler: Scheduler<number>;
  readonly nodes: VirtualNode[] = [];
  readonly tasks = new Map<TaskId, VirtualTask>();
  readonly hubValues = new Set<string>();
  readonly releasedValues = new Set<string>();
  paused = false;
  now = 0;
  private nextTask = 1;
  private nextNode = 1;

  constructor(seed: number) {
    this.scheduler = new Scheduler<number>({ quarantineAfter: 3 }, seed);
  }

  submit(count: number, more: Partial<TaskBatch<number>>): void {
    const first = this.nextTask as TaskId;
    this.nextTask += count;
    const batch: TaskBatch<number> = {
      first,
      tags: Array.from({ length: count }, (_, i) => first + i),
      domain: DOMAINS[0]!,
      session: "s1" as SessionId,
      service: SERVICES[0]!,
      priority: 0,
      maxAttempts: 3,
      attemptTimeoutMs: 0,
      deadlineAt: Infinity,
      idempotent: false,
      keep: "hub",
      ...more,
    };
    for (let i = 0; i < count; i++) {
      const id = (first + i) as TaskId;
      const inputs = batch.inputs?.[i] ?? [];
      this.tasks.set(id, {
        ...{ id, batch, inputs, over: null, failures: 0, downs: 0, finalFailure: false, cancelled: false },
        ...{ failedOn: new Set(), live: new Set(), attempts: new Set() },
      });
    }
    this.send({ type: "TasksSubmitted", batch });
  }

  join(domain: Domain, slots: number, window: number, services: readonly string[]): VirtualNode {
    const id = `n${this.nextNode++}` as NodeId;
    const node: VirtualNode = {
      ...{ id, domain, slots, window: Math.max(slots, window), services, linked: true, draining: false },
      ...{ quarantinedUntil: 0, hand: [], orders: [], unsent: [], values: new Set() },
    };
    this.nodes.push(node);
    this.send({ type: "NodeJoined", node: id, domain, slots, window, services });
    return node;
  }

  /** The first `count` of what it runs are solved; without a link, the answers wait. */
  finish(node: VirtualNode, count: number): void {
    const done = node.hand.splice(0, Math.min(count, node.slots));
    for (const { task } of done)
      if (this.tasks.get(task)!.batch.keep === "node")
        for (let output = 0; output < OUTPUTS; output++) node.values.add(`${task}.${output}`);
    node.unsent.push(...done);
    if (node.linked) this.sendAnswers(node);
  }

  fail(node: VirtualNode, retry: boolean): void {
    const held = node.linked ? node.hand.shift() : undefined;
    if (held === undefined) return;
    const task = this.tasks.get(held.task)!;
    if (task.live.delete(`${node.id} ${held.attempt}`)) {
      task.failures++;
      task.finalFailure ||= !retry;
      task.failedOn.add(node.id);
    }
    const { task: id, attempt } = held;
    this.send({
      type: "AttemptFailed",
      node: node.id,
      task: id,
      attempt,
      code: "service_error",
      message: "",
      retry,
    });
  }

  /** It does what it was told since the last time. */
  obey(node: VirtualNode): void {
    if (!node.linked) return;
    const gone: Held[] = [];
    for (const order of node.orders) {
      const at = node.hand.findIndex((h) => h.task === order.task && h.attempt === order.attempt);
      if (at < 0 || (order.kind === "recall" && at < node.slots)) continue;
      gone.push(...node.hand.splice(at, 1));
    }
    node.orders = [];
    if (gone.length === 0) return;
    for (const { task, attempt } of gone) this.tasks.get(task)!.live.delete(`${node.id} ${attempt}`);
    const attempts = gone.map((h) => h.attempt);
    this.send({ type: "AttemptsDropped", node: node.id, tasks: gone.map((h) => h.task), attempts });
  }

  /** The link breaks, and the last `lost` dispatches with it. */
  cut(node: VirtualNode, lost: number): void {
    if (!node.linked) return;
    node.linked = false;
    node.orders = [];
    this.bookLoss(node);
    node.hand.splice(node.hand.length - Math.min(lost, node.hand.length));
    this.send({ type: "NodeUnreachable", node: node.id });
  }

  resume(node: VirtualNode, answersFirst: boolean): void {
    if (node.linked) return;
    if (answersFirst) this.sendAnswers(node);
    node.linked = true;
    for (const held of node.hand) {
      held.told = false;
      const task = this.tasks.get(held.task)!;
      if (task.over === null) task.live.add(`${node.id} ${held.attempt}`);
    }
    const values = [...node.values].map((name) => {
      const [task, output] = name.split(".").map(Number);
      return { value: { task: task as TaskId, output: output! }, bytes: 8 };
    });
    const running = node.hand.map(({ task, attempt }) => ({ task, attempt }));
    this.send({ type: "NodeResumed", node: node.id, running, values });
    this.sendAnswers(node);
  }

  leave(node: VirtualNode): void {
    if (node.linked) this.bookLoss(node);
    node.linked = false;
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.send({ type: "NodeLeft", node: node.id });
  }

  drain(node: VirtualNode): void {
    if (!node.linked) return;
    node.draining = true;
    this.send({ type: "NodeDraining", node: node.id });
  }

  setWindow(node: VirtualNode, window: number): void {
    node.window = Math.max(node.slots, window);
    node.draining = false; // asking for work again takes a drain back
    this.send({ type: "NodeWindow", node: node.id, window });
  }

  setSlots(node: VirtualNode, slots: number): void {
    node.slots = slots;
    node.window = Math.max(slots, node.window);
    this.send({ type: "NodeSlots", node: node.id, slots });
  }

  cancel(id: TaskId): void {
    const task = this.tasks.get(id);
    if (task === undefined) return;
    task.cancelled = true;
    this.send({ type: "TasksCancelled", tasks: [id] });
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.send({ type: paused ? "DispatchPaused" : "DispatchResumed" });
  }

  release(value: ValueRef): void {
    this.releasedValues.add(key(value));
    this.send({ type: "ValuesReleased", values: [value] });
  }

  copy(from: VirtualNode, to: VirtualNode | "hub", value: string): void {
    if (!from.linked || (to !== "hub" && (!to.linked || to.domain !== from.domain))) return;
    (to === "hub" ? this.hubValues : to.values).add(value);
    const [task, output] = value.split(".").map(Number) as [TaskId, number];
    this.send({ type: "ValueCopied", value: { task, output }, bytes: 8, place: to === "hub" ? to : to.id });
  }

  loseValue(node: VirtualNode, value: string): void {
    if (!node.linked || !node.values.delete(value)) return;
    const [task, output] = value.split(".").map(Number) as [TaskId, number];
    this.send({ type: "ValueLost", value: { task, output }, place: node.id });
  }

  wait(ms: number): void {
    const end = this.now + ms;
    for (let next = this.scheduler.nextTimer(); next <= end; next = this.scheduler.nextTimer()) {
      this.now = Math.max(this.now, next);
      this.send({ type: "Tick" });
      if (this.scheduler.nextTimer() <= this.now) throw new Error("a Tick left a timer that was due");
    }
    this.now = end;
  }

  /** All trouble ends: links are back, orders obeyed, everything is answered. Every task must come to its end. */
  finishAll(): void {
    if (this.paused) this.pause(false);
    for (const domain of DOMAINS) this.join(domain, 4, 8, SERVICES);
    for (let round = 0; [...this.tasks.values()].some((t) => t.over === null) || this.busy; round++) {
      if (round > 300) throw new Error(`tasks do not end: ${JSON.stringify(this.scheduler.counts())}`);
      for (const node of [...this.nodes]) {
        this.resume(node, true);
        this.obey(node);
        this.finish(node, node.slots);
      }
      this.wait(1000);
    }
    for (const task of this.tasks.values())
      for (let output = 0; output < OUTPUTS; output++) this.release({ task: task.id, output });
    for (const node of this.nodes)
      if (node.values.size > 0) throw new Error(`${node.id} keeps ${[...node.values]}`);
    const { waiting, running, blocked, remembered } = this.scheduler.counts();
    if (waiting + running + blocked + remembered > 0)
      throw new Error(`something is left: ${JSON.stringify(this.scheduler.counts())}`);
  }

  private get busy(): boolean {
    return this.nodes.some((n) => !n.linked || n.hand.length + n.orders.length + n.unsent.length > 0);
  }

  private bookLoss(node: VirtualNode): void {
    for (const { task, attempt } of node.hand) {
      const virtual = this.tasks.get(task)!;
      if (virtual.live.delete(`${node.id} ${attempt}`)) virtual.downs++;
    }
  }

  private sendAnswers(node: VirtualNode): void {
    if (node.unsent.length === 0) return;
    const tasks = node.unsent.map((a) => a.task);
    const attempts = node.unsent.map((a) => a.attempt);
    for (const { task, attempt } of node.unsent) this.tasks.get(task)!.live.delete(`${node.id} ${attempt}`);
    node.unsent = [];
    const values = tasks.map((t) => (this.tasks.get(t)!.batch.keep === "node" ? [8, 8] : []));
    this.send({ type: "AttemptsDone", node: node.id, tasks, attempts, values });
  }

  private send(event: SchedulerEvent<number>): void {
    const effects = this.scheduler.handle(event, this.now);
    for (const effect of effects) this.obeyEffect(effect, event);
    this.checkProgress(event);
  }

  private obeyEffect(effect: SchedulerEffect<number>, event: SchedulerEvent<number>): void {
    const broken = (law: string) =>
      new Error(`${law}: ${JSON.stringify(effect)} after ${JSON.stringify(event)}`);
    const linked = (id: string) => {
      const node = this.nodes.find((n) => n.id === id && n.linked);
      if (node === undefined) throw broken("an effect for a node that is not linked");
      return node;
    };
    switch (effect.type) {
      case "Dispatch": {
        const node = linked(effect.node);
        if (this.paused || node.draining || node.quarantinedUntil > this.now)
          throw broken("dispatched to nobody");
        for (const { task: id, attempt, tag, inputs } of effect.assignments) {
          const task = this.tasks.get(id)!;
          if (tag !== id || task.attempts.has(attempt)) throw broken("a wrong assignment");
          if (task.batch.domain !== node.domain) throw broken("a domain was crossed");
          if (!node.services.includes(task.batch.service)) throw broken("the service is not offered");
          if (task.over === "failed" || (task.over === "solved" && task.batch.keep === "hub"))
            throw broken("a task that was over was dispatched");
          if (task.live.size >= (task.batch.idempotent ? 3 : 1)) throw broken("dispatched twice");
          for (const input of inputs)
            if (input.places.length === 0 || !input.places.every((p) => this.has(p, input.value)))
              throw broken("an input is not where it is said to be");
          if (inputs.length !== task.inputs.length) throw broken("inputs are missing");
          task.attempts.add(attempt);
          task.live.add(`${node.id} ${attempt}`);
          node.hand.push({ task: id, attempt, told: false });
          if (node.hand.length > node.window) throw broken("more than the window");
        }
        return;
      }
      case "Cancel":
        for (const { task, attempt } of effect.attempts) {
          linked(effect.node).orders.push({ kind: "cancel", task, attempt });
          const virtual = this.tasks.get(task)!;
          if (virtual.live.delete(`${effect.node} ${attempt}`) && effect.why === "attempt_timeout") {
            virtual.failures++;
            virtual.failedOn.add(effect.node);
          }
        }
        return;
      case "Recall":
        for (const { task, attempt } of effect.attempts)
          linked(effect.node).orders.push({ kind: "recall", task, attempt });
        return;
      case "Solved":
        for (const [i, id] of effect.tasks.entries()) {
          const task = this.tasks.get(id)!;
          if (task.over !== null) throw broken("solved after it was over");
          if (effect.tags[i] !== id) throw broken("the tag of another task");
          if (event.type !== "AttemptsDone" || event.tasks[effect.index[i]!] !== id)
            throw broken("a wrong index");
          task.over = "solved";
          if (task.batch.keep === "hub") for (let o = 0; o < OUTPUTS; o++) this.hubValues.add(`${id}.${o}`);
        }
        return;
      case "Failed": {
        const task = this.tasks.get(effect.task)!;
        if (task.over !== null) throw broken("failed after it was over");
        task.over = "failed";
        const fair: Record<string, boolean> = {
          cancelled: task.cancelled,
          deadline: task.batch.deadlineAt <= this.now,
          service_error: task.finalFailure || task.failures >= task.batch.maxAttempts,
          attempt_timeout: task.failures >= task.batch.maxAttempts,
          node_lost: task.downs >= 3,
          input_failed: task.inputs.some((v) => this.tasks.get(v.task)?.over !== null),
        };
        if (fair[effect.code] !== true) throw broken("failed without a reason");
        return;
      }
      case "Quarantined":
        linked(effect.node).quarantinedUntil = effect.untilMs;
        return;
      case "Release":
        for (const value of effect.values) {
          const needed = [...this.tasks.values()].some(
            (t) => t.over === null && t.inputs.some((v) => key(v) === key(value)),
          );
          const makerFailed = this.tasks.get(value.task)?.over === "failed";
          if (!makerFailed && (needed || !this.releasedValues.has(key(value))))
            throw broken("released too early");
          if (effect.place === "hub") this.hubValues.delete(key(value));
          else linked(effect.place).values.delete(key(value));
        }
        return;
      case "Recomputed":
      case "ValuesGone":
        return;
      default:
        effect satisfies never;
    }
  }

  private has(place: string, value: ValueRef): boolean {
    if (place === "hub") return this.hubValues.has(key(value));
    return this.nodes.some((n) => n.id === place && n.linked && n.values.has(key(value)));
  }

  /** No task is ready that a node with room could run. */
  private checkProgress(event: SchedulerEvent<number>): void {
    if (this.paused) return;
    const able = this.nodes.filter(
      (n) => n.linked && !n.draining && n.quarantinedUntil <= this.now && n.hand.length < n.window,
    );
    for (const view of able) {
      const held = this.scheduler.node(view.id)!.held;
      // An order to stop that was not obeyed yet, or an answer on its way, still takes its place there.
      if (held >= view.window) able.splice(able.indexOf(view), 1);
    }
    if (able.length === 0) return;
    for (const task of this.tasks.values()) {
      if (this.scheduler.task(task.id)?.state !== "ready") continue;
      const idle = able.find(
        (n) =>
          n.domain === task.batch.domain &&
          n.services.includes(task.batch.service) &&
          !task.failedOn.has(n.id) &&
          this.scheduler.node(n.id)!.held < n.window,
      );
      if (idle !== undefined && this.scheduler.look(task.id).heldUntil > 0) {
        if (this.scheduler.nextTimer() === Infinity) throw new Error(`task ${task.id} is held back for ever`);
      } else if (idle !== undefined)
        throw new Error(`task ${task.id} waits, ${idle.id} is idle, after ${JSON.stringify(event)}`);
    }
  }
}
