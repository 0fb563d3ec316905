// The hub of the simulation: it turns what arrives into events, and effects into frames, as src/hub does with real ones. It
// restarts with nothing but its journal.
import type { SchedulerEffect, SchedulerEvent, TaskBatch } from "../scheduler/index.js";
import type { Brain, Watcher } from "./brain.js";
import type { SessionId } from "../ids/index.js";
import { DOMAIN } from "./clients.js";
import type { Scenario } from "./scenario.js";
import type { Order, VirtualNode } from "./virtual-node.js";

/** As in src/hub: a hub that starts waits this long for the nodes of the one before. */
const RETURN_MS = 2000;
export const SILENT_MS = 2500;
/** A little after the scheduler has given the node up by itself. */
export const GRACE_MS = 11_000;

export interface HubSurroundings {
  now: number;
  readonly scenario: Scenario;
  readonly nodes: readonly VirtualNode[];
  deliver(node: VirtualNode, order: Order): void;
  later(ms: number, then: () => void): void;
  solved(tasks: readonly number[], node: VirtualNode): void;
  failed(task: number, code: string): void;
}

interface NodeView {
  state: "up" | "unreachable" | "gone";
  /** Changes with each change of state, so that a timer of an older one does nothing. */
  version: number;
}

export class VirtualHub {
  up = true;
  events = 0;
  restarts = 0;
  /** Nanoseconds spent deciding, if there is a clock. */
  decidingMs = 0;
  decisions = 0;
  private digests: string[] = [];
  private readonly views = new Map<VirtualNode, NodeView>();
  private brain: Brain;
  private life = 0;

  constructor(
    private readonly world: HubSurroundings,
    private readonly makeBrain: (life: number) => Brain,
    private readonly watcher: Watcher | undefined,
    private readonly clock: (() => number) | undefined,
  ) {
    this.brain = makeBrain(0);
  }

  /** What the second client is entitled to. */
  entitle(): void {
    const { quota, weight } = this.world.scenario;
    const session = "c1" as SessionId;
    if (quota > 0) this.handle({ type: "SessionShare", session, weight, maxRunning: quota });
  }

  get nextTimer(): number {
    return this.up ? this.brain.nextTimer() : Infinity;
  }

  get digest(): string {
    return [...this.digests, this.brain.digest()].join("-");
  }

  get counts(): ReturnType<Brain["counts"]> {
    return this.brain.counts();
  }

  handle(event: SchedulerEvent<number>): void {
    this.events++;
    const before = this.clock?.() ?? 0;
    const effects = this.brain.handle(event, this.world.now);
    if (this.clock !== undefined) this.decidingMs += this.clock() - before;
    this.watcher?.(event, effects, this.world.now, this.brain);
    for (const effect of effects) this.apply(effect);
  }

  /** A node's hello: new, back, or back after this hub's own restart. */
  welcome(node: VirtualNode): void {
    const known = this.views.get(node);
    const back = known !== undefined && known.state !== "gone";
    const view = known ?? { state: "up", version: 0 };
    view.state = "up";
    view.version++;
    this.views.set(node, view);
    const running = node.hand();
    const values = node.valueList();
    const { scenario } = this.world;
    const full = running.length > 0 || values.length > 0;
    if (!back)
      this.handle({
        ...{ type: "NodeJoined", node: node.id, domain: DOMAIN, slots: scenario.slots },
        ...{ window: scenario.window, services: node.services, speed: node.claim, resuming: full },
        ...{ memoryMb: node.memoryMb, providers: node.providers, labels: node.labels },
      });
    if (back || full) this.handle({ type: "NodeResumed", node: node.id, running, values });
    if (node.draining) this.handle({ type: "NodeDraining", node: node.id });
  }

  /** The link was seen to break, or the node fell silent. */
  lost(node: VirtualNode): void {
    const view = this.views.get(node);
    if (!this.up || view?.state !== "up") return;
    view.state = "unreachable";
    const version = ++view.version;
    this.handle({ type: "NodeUnreachable", node: node.id });
    this.world.later(GRACE_MS, () => {
      if (this.up && this.views.get(node) === view && view.version === version) this.left(node);
    });
  }

  left(node: VirtualNode): void {
    const view = this.views.get(node);
    if (!this.up || view === undefined || view.state === "gone") return;
    view.state = "gone";
    view.version++;
    this.handle({ type: "NodeLeft", node: node.id });
  }

  drain(node: VirtualNode): void {
    if (this.up && this.views.get(node)?.state === "up") this.handle({ type: "NodeDraining", node: node.id });
  }

  reachable(node: VirtualNode): boolean {
    return this.up && this.views.get(node)?.state === "up";
  }

  stop(): void {
    this.up = false;
    this.life++;
    this.decisions += this.brain.decisions;
    this.digests.push(this.brain.digest());
    this.views.clear();
  }

  /** A new hub with the old one's journal. */
  start(journal: readonly TaskBatch<number>[]): void {
    this.up = true;
    this.restarts++;
    this.brain = this.makeBrain(this.restarts);
    this.entitle();
    this.handle({ type: "DispatchPaused" });
    for (const batch of journal) this.handle({ type: "TasksSubmitted", batch });
    const life = this.life;
    this.world.later(RETURN_MS, () => {
      if (this.up && this.life === life) this.handle({ type: "DispatchResumed" });
    });
  }

  totalDecisions(): number {
    return this.decisions + this.brain.decisions;
  }

  private apply(effect: SchedulerEffect<number>): void {
    const { world } = this;
    switch (effect.type) {
      case "Dispatch":
        world.deliver(this.node(effect.node), { kind: "run", assignments: effect.assignments });
        break;
      case "Cancel":
        world.deliver(this.node(effect.node), { kind: "stop", attempts: effect.attempts });
        break;
      case "Recall":
        world.deliver(this.node(effect.node), { kind: "recall", attempts: effect.attempts });
        break;
      case "Release":
        if (effect.place !== "hub")
          world.deliver(this.node(effect.place), { kind: "release", values: effect.values });
        break;
      case "Solved":
        world.solved(effect.tasks, this.node(effect.node));
        break;
      case "Failed":
        world.failed(effect.task, effect.code);
        break;
      case "Quarantined":
      case "Recomputed":
      case "ValuesGone":
        break;
      default:
        effect satisfies never;
    }
  }

  private node(id: string): VirtualNode {
    return this.world.nodes[Number(id.slice(1))]!;
  }
}
