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
  onTickEnd,
  PROTOCOL_VERSION,
  STREAM_BYTES,
  Transfers,
  type MessageFrom,
  type MessageOf,
  type Upload,
} from "../wire/index.js";
import { Answers, type Single } from "./answers.js";
import { attemptsOf, eachAttempt } from "./attempts.js";
import { linkFigures, measureLink, Probes } from "./compute/link-probe.js";
import { openEngine, type OpenedEngine } from "./compute/open-engine.js";
import { computedMessage, ProgramDesk } from "./compute/program-desk.js";
import { Credit } from "./credit.js";
import type { ComputingNodeOptions, NodeRuntime } from "./node-options.js";
import type { ModuleRunner } from "./runner.js";
import { failureOf, installServices, type InstalledService } from "./service.js";
import { Slots, type Attempt, type Outcome } from "./slots.js";

/** How long a leaving node waits for the hub to confirm its last answers. */
const CONFIRM_MS = 2000;

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
  readonly #answers = new Answers();
  readonly #credit: Credit;
  readonly #transfers: Transfers;
  readonly #link: Link<"node">;
  /** Absent in a node that computes no programs. */
  readonly #desk: ProgramDesk | undefined;
  readonly #probes = new Probes((probe) => this.#link.send(probe));
  readonly #instance = randomHex(8);
  readonly #domain: string;
  #dropped: { tasks: number[]; attempts: number[] } = { tasks: [], attempts: [] };
  #flushAsked = false;
  #lastFlush = 0;
  #answered = 0;
  #state: NodeState = "unknown";
  #paused: boolean;
  /** It measures its link, before it takes anything. */
  #measuring = false;
  /** The window that the last hello named. */
  #greeted = 0;
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
    this.#paused = options.paused ?? false;
    this.#runtime = runtime;
    this.#services = services;
    this.#domain = String(options.domain ?? DEFAULT_DOMAIN);
    this.id = makeNodeId(options.name ?? "node", randomBytes(4));
    this.kind = options.kind ?? "computing";
    this.#modules = runtime.modules();
    this.#credit = new Credit(slots);
    this.#slots = new Slots(slots, this.#services, this.#modules, {
      solved: (attempt, ms, outcome) => this.#solved(attempt, ms, outcome),
      computed: (attempt, ms, computed) => {
        this.#credit.measured(1, ms);
        this.#answer(computedMessage(attempt, computed));
        this.#count();
      },
      upload: (source) => this.#transfers.upload(source),
      cancel: (upload) => this.#transfers.cancel(upload),
      failed: (attempt, failure) => {
        this.#answer({ t: "failed", task: attempt.task, attempt: attempt.attempt, ...failure });
        this.#count();
      },
      dropped: (attempt) => {
        this.#giveBack(attempt.task, attempt.attempt);
        this.#checkIdle();
      },
      // What was answered must not wait behind a service that holds the thread.
      beforeStart: () => {
        if (this.#flushAsked && performance.now() - this.#lastFlush > 1) this.#flush();
      },
    });
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.closed.catch(() => undefined);
    this.#link = new Link<"node">({
      url: options.hub,
      dial: runtime.dial,
      token: options.token,
      hello: () => {
        this.#greeted = this.#wanted;
        return this.#hello();
      },
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
  }

  /** Joins a hub; waits for one as long as none answers. Rejects with `bad_argument`, `version_mismatch`, `unauthorized`. */
  static async start(options: ComputingNodeOptions, runtime: NodeRuntime): Promise<ComputingNode> {
    const { slots = 1 } = options;
    if (!Number.isInteger(slots) || slots < 1 || slots > 1024)
      throw new FlockworkError("bad_argument", `slots is ${slots}; a node has 1 to 1024.`);
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
    this.#measuring = desk !== undefined && desk.linkFigures === undefined;
    await this.#link.connect();
    if (desk === undefined) return;
    const measured = measureLink(this.#probes.probe).then(async (figures) => {
      if (figures === undefined) return;
      desk.linkFigures = figures;
      await notes?.write(note, figures);
    });
    if (this.#measuring) await measured;
    this.#measuring = false;
    this.#askFlush();
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Jobs answered so far, failures included. */
  get answered(): number {
    return this.#answered;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Takes nothing new until resume(): what runs is finished, what waits here is given back. */
  pause(): void {
    this.#paused = true;
    this.#slots.recallAll();
    this.#askFlush();
  }

  /** Takes tasks again. */
  resume(): void {
    this.#paused = false;
    this.#askFlush();
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

  #hello(): MessageOf<"hello"> {
    const mine = [...this.#slots.held(), ...this.#answers.unconfirmed()];
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
        slots: this.#options.slots ?? 1,
        window: this.#wanted,
        services: [...this.#services.keys()],
        ...(this.#options.memoryMb !== undefined && { memoryMb: this.#options.memoryMb }),
        ...(this.#options.labels && { labels: [...this.#options.labels] }),
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
        { ...this.#hello(), role: "beat", node: undefined },
        this.#options.hub,
        this.#options.token,
      );
    for (const message of this.#answers.all()) this.#link.send(message);
    this.#transfers.up();
    // The hub counts from the hello: what was said since then is lost.
    this.#credit.told = this.#greeted;
    if (this.#wanted !== this.#greeted) this.#askFlush();
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
          if (!this.#slots.stop(task, attempt)) this.#stopAnswer(task, attempt);
        });
        break;
      case "stored":
        this.#answers.confirmed(message);
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
        if (unknown !== undefined) this.#uploadLost(unknown, message);
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
    const room = this.#room;
    const kept = room >= attempts.length ? attempts : attempts.slice(0, room);
    for (const attempt of attempts.slice(kept.length)) {
      if ("program" in attempt) attempt.leave();
      this.#giveBack(attempt.task, attempt.attempt);
    }
    if (this.#exact) this.#askFlush();
    this.#slots.add(kept);
  }

  /** How many more tasks it may start before it leaves. */
  get #room(): number {
    if (this.#leaving !== undefined || this.#paused || this.#measuring) return 0;
    const { limit = Infinity } = this.#options;
    return Math.max(0, limit - this.#answered - this.#slots.size);
  }

  /** A large solution is uploaded first, and its answer follows. */
  #solved({ task, attempt }: Attempt, ms: number, { kind, bytes, upload }: Outcome): void {
    this.#credit.measured(1, ms);
    if (upload !== undefined || bytes.length >= STREAM_BYTES)
      this.#answerWith(task, attempt, ms, kind, upload ?? this.#transfers.upload(bytes));
    else this.#answers.solved(task, attempt, ms, { kind, bytes });
    this.#askFlush();
    this.#count();
  }

  #answerWith(task: number, attempt: number, ms: number, kind: number, upload: Upload): void {
    this.#answers.uploading(task, attempt, ms, kind, upload);
    upload.kept.then(
      () => {
        this.#answers.uploaded(upload);
        this.#askFlush();
      },
      (error: unknown) => {
        if (this.#answers.takeUpload(upload.id) !== undefined) this.#fail(task, attempt, error);
      },
    );
  }

  /** The hub has lost an upload, by a restart: it is sent anew, or its attempt has failed. */
  #uploadLost(id: string, { code, message }: { code: string; message: string }): void {
    const answer = this.#answers.takeUpload(id);
    if (answer === undefined) return;
    const { task, attempt, ms, payload, upload } = answer;
    if (code === "stream_lost" && upload.whole !== undefined)
      this.#answerWith(task, attempt, ms, payload.kind, this.#transfers.upload(upload.whole));
    else this.#fail(task, attempt, new FlockworkError(code, message));
  }

  #fail(task: number, attempt: number, error: unknown): void {
    this.#answer({ t: "failed", task, attempt, ...failureOf(error) });
  }

  /** An answer in a message of its own. */
  #answer(answer: Single): void {
    this.#answers.single(answer);
    this.#link.send(answer);
    this.#askFlush();
  }

  /** An answer that is still being uploaded is given up; what is not here (any more) is given back. */
  #stopAnswer(task: number, attempt: number): void {
    const upload = this.#answers.uploadOf(task, attempt);
    if (upload !== undefined) {
      this.#answers.takeUpload(upload.id);
      this.#transfers.cancel(upload);
    }
    this.#giveBack(task, attempt);
    this.#checkIdle();
  }

  #giveBack(task: number, attempt: number): void {
    this.#dropped.tasks.push(task);
    this.#dropped.attempts.push(attempt);
    this.#askFlush();
  }

  /** The credit to ask for, when the hub should hear of it. */
  #creditNews(): number | undefined {
    const { told } = this.#credit;
    const wanted = this.#wanted;
    if (wanted > 0 && told > 0) return this.#exact ? undefined : this.#credit.news();
    if (wanted === told) return undefined;
    this.#credit.told = wanted;
    return wanted;
  }

  /** Whether it holds no more than it can start. */
  get #exact(): boolean {
    return this.#options.limit !== undefined || this.#options.prefetch === false;
  }

  /** How many tasks it wants to hold now; 0: none, and none new. */
  get #wanted(): number {
    const room = this.#room;
    return Math.min(room, this.#exact ? (this.#options.slots ?? 1) : this.#credit.window);
  }

  #askFlush(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    onTickEnd(() => this.#flush());
  }

  #flush(): void {
    if (!this.#flushAsked) return;
    this.#flushAsked = false;
    this.#lastFlush = performance.now();
    // First: an answer would bring the next task to a node that wants none.
    const window = this.#creditNews();
    if (window !== undefined) this.#link.send({ t: "credit", window });
    for (const message of this.#answers.takeFresh()) this.#link.send(message);
    if (this.#dropped.tasks.length > 0) {
      const { tasks, attempts } = this.#dropped;
      this.#dropped = { tasks: [], attempts: [] };
      this.#link.send({
        t: "dropped",
        tasks: Float64Array.from(tasks),
        attempts: Uint16Array.from(attempts),
      });
    }
    this.#link.flush();
  }

  #count(): void {
    this.#answered++;
    const { limit } = this.#options;
    if (limit !== undefined && this.#answered >= limit) void this.close();
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#slots.size === 0 && this.#answers.size === 0) this.#idle?.();
  }

  async #leave(): Promise<void> {
    this.pause();
    this.#flush();
    if (this.#slots.size > 0 || this.#answers.size > 0)
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
