// A computing node's life: it joins, asks for work, answers, comes back when the link breaks, and leaves politely.
import {
  DEFAULT_DOMAIN,
  FlockworkError,
  makeNodeId,
  randomBytes,
  randomHex,
  type NodeId,
  type NodeKind,
  type NodeState,
} from "../ids/index.js";
import {
  Link,
  nextTurn,
  PROTOCOL_VERSION,
  Transfers,
  type MessageFrom,
  type MessageOf,
} from "../wire/index.js";
import type { EngineFacts, EngineFigures } from "../engine/slot.js";
import { Answering } from "./answering.js";
import { attemptsOf, eachAttempt } from "./attempts.js";
import { linkFigures, measureLink, Probes, type LinkFigures } from "./compute/link-probe.js";
import { openEngine, type OpenedEngine } from "./compute/open-engine.js";
import { computedMessage, ProgramDesk } from "./compute/program-desk.js";
import { Demand } from "./demand.js";
import type { ComputingNodeOptions, NodeRuntime } from "./node-options.js";
import type { ModuleRunner } from "./runner.js";
import { installServices, type InstalledService } from "./service.js";
import type { Attempt } from "./attempt.js";
import { Slots } from "./slots.js";

/** How long a leaving node waits for the hub to confirm its last answers. */
const CONFIRM_MS = 2000;

/** What a node computes programs with: so many engines, as they are and as they were measured. */
export interface NodeEngine {
  readonly slots: number;
  readonly facts: EngineFacts;
  readonly figures: EngineFigures;
  /** Of the link to the hub, once it is known. */
  readonly link: LinkFigures | undefined;
}

export class ComputingNode {
  readonly id: NodeId;
  readonly kind: NodeKind;
  /** Resolves when the node has left for good, rejects with the reason when it was refused. */
  readonly closed: Promise<void>;
  readonly #options: ComputingNodeOptions;
  readonly #runtime: NodeRuntime;
  readonly #services: ReadonlyMap<string, InstalledService>;
  readonly #modules: ModuleRunner;
  readonly #slots: Slots;
  readonly #demand: Demand;
  readonly #answering: Answering;
  readonly #transfers: Transfers;
  readonly #link: Link<"node">;
  /** Absent in a node that computes no programs. */
  readonly #desk: ProgramDesk | undefined;
  readonly #probes = new Probes((probe) => this.#link.send(probe));
  readonly #instance = randomHex(8);
  readonly #domain: string;
  #state: NodeState = "unknown";
  #leaving: Promise<void> | undefined = undefined;
  #idle: (() => void) | undefined = undefined;
  #beat: { close(): void } | undefined = undefined;
  #settle!: { resolve(): void; reject(error: unknown): void };

  private constructor(
    options: ComputingNodeOptions,
    runtime: NodeRuntime,
    opened: OpenedEngine | undefined,
    services: ReadonlyMap<string, InstalledService>,
  ) {
    const slots = options.slots ?? 1;
    this.#options = options;
    this.#runtime = runtime;
    this.#services = services;
    this.#domain = String(options.domain ?? DEFAULT_DOMAIN);
    this.id = makeNodeId(options.name ?? "node", randomBytes(4));
    this.kind = options.kind ?? "computing";
    this.#modules = runtime.modules();
    this.#demand = new Demand(options, opened !== undefined, () => this.#slots.size);
    this.#slots = new Slots(slots, this.#services, this.#modules, {
      solved: (attempt, ms, outcome) => {
        this.#demand.measured(ms);
        this.#answering.solved(attempt, ms, outcome);
        this.#count();
      },
      computed: (attempt, ms, computed) => {
        this.#demand.measured(ms);
        this.#answering.single(computedMessage(attempt, computed));
        this.#count();
      },
      upload: (source) => this.#transfers.upload(source),
      cancel: (upload) => this.#transfers.cancel(upload),
      failed: (attempt, failure) => {
        this.#answering.failed(attempt, failure);
        this.#count();
      },
      dropped: (attempt) => {
        this.#answering.giveBack(attempt.task, attempt.attempt);
        this.#checkIdle();
      },
      beforeStart: () => this.#answering.flushBefore(),
    });
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.closed.catch(() => undefined);
    this.#link = new Link<"node">({
      url: options.hub,
      dial: runtime.dial,
      token: options.token,
      hello: () => this.#hello(this.#demand.greet()),
      onUp: () => this.#up(),
      onDown: (reason) => {
        this.#state = "unknown";
        this.#transfers.down();
        this.#desk?.down();
        this.#probes.down();
        options.onDown?.(reason);
      },
      onMessage: (message) => this.#receive(message),
      onNotice: (notice) => options.onNotice?.(notice),
      onWaiting: (error) => options.onWaiting?.(error),
      onFatal: (error) => {
        this.#state = "dropped";
        this.#beat?.close();
        this.#transfers.close(error);
        void this.#desk?.close();
        this.#settle.reject(error);
      },
    });
    this.#transfers = new Transfers(this.#link);
    this.#desk = opened && new ProgramDesk({ ...opened, link: this.#link, transfers: this.#transfers });
    this.#answering = new Answering(this.#link, this.#transfers, () => this.#demand.news());
  }

  /** Joins a hub; waits for one as long as none answers. Rejects with `bad_argument`, `version_mismatch`, `unauthorized`. */
  static async start(options: ComputingNodeOptions, runtime: NodeRuntime): Promise<ComputingNode> {
    expectSlots(options.slots ?? 1);
    const { owner } = options;
    if (owner !== undefined && (owner === "" || owner.length > 64))
      throw new FlockworkError("bad_argument", `owner is "${owner}"; give a text of 1 to 64 characters.`);
    const services = installServices(options.services);
    const opened = await openEngine(options, runtime, (name) => node.#desk?.tell(name, -1));
    const node = new ComputingNode(options, runtime, opened, services);
    try {
      await node.#join();
    } catch (error) {
      await node.#desk?.close();
      throw error;
    }
    void nextTurn().then(() => node.#slots.begin());
    return node;
  }

  /** The first time that it computes for a hub, it measures the link before it takes anything; later visits know it. */
  async #join(): Promise<void> {
    const desk = this.#desk;
    const { notes } = this.#runtime;
    const note = `link ${this.#options.hub}`;
    if (desk !== undefined) desk.linkFigures = linkFigures(await notes?.read(note));
    this.#demand.measuring = desk !== undefined && desk.linkFigures === undefined;
    await this.#link.connect();
    if (desk === undefined) return;
    const measured = measureLink(this.#probes.probe).then(async (figures) => {
      if (figures === undefined) return;
      desk.linkFigures = figures;
      this.#link.send({ t: "link", ...figures });
      await notes?.write(note, figures);
    });
    if (this.#demand.measuring) await measured;
    this.#demand.measuring = false;
    this.#answering.askFlush();
  }

  get state(): NodeState {
    return this.#state;
  }

  /** What it computes programs with; undefined for a node that offers services only. */
  get engine(): NodeEngine | undefined {
    return this.#desk && { ...this.#desk.engine, slots: this.slots };
  }

  /** Jobs answered so far, failures included. */
  get answered(): number {
    return this.#demand.answered;
  }

  /** Tasks it runs at the same time. */
  get slots(): number {
    return this.#demand.slots;
  }

  /** Runs so many tasks at the same time from now on; what runs is finished. Throws `bad_argument`. */
  resize(slots: number): void {
    expectSlots(slots);
    this.#demand.resize(slots);
    this.#desk?.resize(slots);
    this.#slots.resize(slots);
    this.#answering.askFlush();
  }

  get paused(): boolean {
    return this.#demand.paused;
  }

  /** Takes nothing new until resume(): what runs is finished, what waits here is given back. */
  pause(): void {
    this.#demand.paused = true;
    this.#slots.recallAll();
    this.#answering.askFlush();
  }

  /** Takes tasks again. */
  resume(): void {
    this.#demand.paused = false;
    this.#answering.askFlush();
  }

  /** Takes nothing new, finishes what runs, gives back what waits, leaves. */
  close(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /** Like close(), but aborts what runs. */
  abort(): Promise<void> {
    this.#slots.abortAll();
    return this.close();
  }

  /** Cuts the link as a broken network would. For tests. */
  drop(): void {
    this.#link.drop();
  }

  #hello(window: number): MessageOf<"hello"> {
    const mine = [...this.#slots.held(), ...this.#answering.unconfirmed()];
    return {
      t: "hello",
      version: PROTOCOL_VERSION,
      software: this.#runtime.software,
      role: "node",
      kind: this.kind,
      id: this.id,
      session: this.id,
      instance: this.#instance,
      domain: this.#domain,
      node: {
        slots: this.slots,
        window,
        services: [...this.#services.keys()],
        ...(this.#options.memoryMb !== undefined && { memoryMb: this.#options.memoryMb }),
        ...(this.#options.labels && { labels: [...this.#options.labels] }),
        ...(this.#options.owner !== undefined && { owner: this.#options.owner }),
        idempotent: [...this.#services.values()]
          .filter((service) => service.idempotent)
          .map((service) => service.name),
        tasks: Float64Array.from(mine, ([task]) => task),
        attempts: Uint16Array.from(mine, ([, attempt]) => attempt),
        ...this.#desk?.hello(),
      },
    };
  }

  #up(): void {
    this.#state = "running";
    if (this.#beat === undefined)
      this.#beat = this.#runtime.startBeat?.(
        { ...this.#hello(0), role: "beat", node: undefined },
        this.#options.hub,
        this.#options.token,
      );
    this.#answering.resend();
    this.#transfers.up();
    if (this.#demand.greeted()) this.#answering.askFlush();
    this.#options.onUp?.();
  }

  #receive(message: MessageFrom<"hub">): void {
    switch (message.t) {
      case "run":
        this.#take([...attemptsOf(message, (of, bytes) => this.#transfers.fetch(of, bytes))]);
        break;
      case "compute":
        if (this.#desk === undefined)
          throw new FlockworkError("bad_message", "This node computes no programs.");
        this.#take([...this.#desk.attemptsOf(message)]);
        break;
      case "recall":
        eachAttempt(message, (task, attempt) => this.#slots.recall(task, attempt));
        break;
      case "stop":
        eachAttempt(message, (task, attempt) => {
          // What is not here (any more) is answered too, so that the hub does not wait for it.
          if (this.#slots.stop(task, attempt)) return;
          this.#answering.stop(task, attempt);
          this.#checkIdle();
        });
        break;
      case "stored":
        this.#answering.confirmed(message);
        this.#checkIdle();
        break;
      case "fetch":
      case "drop":
        this.#desk?.receive(message);
        break;
      case "echo":
        this.#probes.echoed(message);
        break;
      case "grant":
        if (!this.#desk?.receive(message)) this.#transfers.receive(message);
        break;
      case "kept":
      case "chunk":
      case "end":
        this.#transfers.receive(message);
        break;
      case "broken": {
        if (this.#desk?.receive(message)) break;
        const unknown = this.#transfers.receive(message);
        if (unknown !== undefined) this.#answering.uploadLost(unknown, message);
        break;
      }
      case "welcome":
      case "notice":
      case "beat":
        break;
      default:
        throw new FlockworkError("bad_message", `A node has no use for "${message.t}".`);
    }
  }

  /** Starts what a run brings, and gives back what came after the node had asked for no more. */
  #take(attempts: readonly Attempt[]): void {
    const { room, exact } = this.#demand;
    const kept = room >= attempts.length ? attempts : attempts.slice(0, room);
    for (const attempt of attempts.slice(kept.length)) {
      if ("program" in attempt) attempt.leave();
      this.#answering.giveBack(attempt.task, attempt.attempt);
    }
    if (exact) this.#answering.askFlush();
    this.#slots.add(kept);
  }

  #count(): void {
    this.#demand.answered++;
    if (this.#demand.done) void this.close();
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#slots.size === 0 && this.#answering.size === 0) this.#idle?.();
  }

  async #leave(): Promise<void> {
    this.#demand.leaving = true;
    this.pause();
    this.#answering.flush();
    if (this.#slots.size > 0 || this.#answering.size > 0)
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        this.#checkIdle();
        // Answers are confirmed soon when a hub is there; a run may take as long as it takes.
        const check = setInterval(() => {
          if (this.#slots.size === 0 && !(this.#link.up && this.#transfers.uploading))
            setTimeout(resolve, CONFIRM_MS);
        }, CONFIRM_MS);
        void this.closed.then(
          () => clearInterval(check),
          () => clearInterval(check),
        );
      });
    this.#beat?.close();
    this.#transfers.close(new FlockworkError("closed", "This node has left."));
    await this.#link.close();
    await this.#modules.close();
    await this.#desk?.close();
    this.#state = "stopped";
    this.#settle.resolve();
  }
}

function expectSlots(slots: number): void {
  if (!Number.isInteger(slots) || slots < 1 || slots > 1024)
    throw new FlockworkError("bad_argument", `slots is ${slots}; a node has 1 to 1024.`);
}
