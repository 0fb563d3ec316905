// The slots of a node: a queue of attempts, how they run, are recalled and stopped. It knows no link: what happens is told
// to its listener.
import { Content, type ByteStream, type Payload, type Upload } from "../wire/index.js";
import { Brevity } from "./brevity.js";
import { Held, NOT_WANTED, type Attempt, type ProgramAttempt, type ServiceAttempt } from "./attempt.js";
import type { Computed } from "./compute/program-run.js";
import { runInline, type ModuleRunner } from "./runner.js";
import { failureOf, Job, type InstalledService } from "./service.js";

/** What a solution came to: its payload, or the upload that has its bytes. */
export interface Outcome extends Payload {
  readonly upload?: Upload;
}

export interface SlotsListener {
  solved(attempt: Attempt, ms: number, outcome: Outcome): void;
  computed(attempt: Attempt, ms: number, outcome: Computed): void;
  /** Takes the bytes of a solution as they are made; the slot is busy until the hub has them. */
  upload(source: AsyncIterable<Uint8Array>): Upload;
  /** Nobody wants these any more. */
  cancel(upload: Upload): void;
  failed(attempt: Attempt, failure: { code: string; message: string; retry: boolean }): void;
  /** It left without an answer because it was stopped or recalled; its slot is free. */
  dropped(attempt: Attempt): void;
  /** Called before a task starts while earlier answers may wait: a service may hold the thread for long. */
  beforeStart(): void;
}

/** After this long without a pause the event loop gets its turn. */
const TURN_MS = 2;

export class Slots {
  readonly #services: ReadonlyMap<string, InstalledService>;
  readonly #modules: ModuleRunner;
  readonly #listener: SlotsListener;
  readonly #held = new Map<number, Held>();
  #queue: Held[] = [];
  #head = 0;
  #slots: number;
  /** Below 0 where short programs run beyond the slots, or where there were more slots a moment ago. */
  #free: number;
  readonly #brevity: Brevity;
  #turnAsked = false;
  #begun = false;

  constructor(
    slots: number,
    services: ReadonlyMap<string, InstalledService>,
    modules: ModuleRunner,
    listener: SlotsListener,
  ) {
    this.#slots = this.#free = slots;
    this.#brevity = new Brevity(slots);
    this.#services = services;
    this.#modules = modules;
    this.#listener = listener;
  }

  /** Attempts that wait or run here. */
  *held(): Iterable<readonly [task: number, attempt: number]> {
    for (const { what } of this.#held.values()) yield [what.task, what.attempt];
  }

  get size(): number {
    return this.#held.size;
  }

  /** So many at the same time from now on. What runs goes on. */
  resize(slots: number): void {
    this.#free += slots - this.#slots;
    this.#slots = slots;
    this.#brevity.resize(slots);
    this.pump();
  }

  add(attempts: Iterable<Attempt>): void {
    for (const attempt of attempts) {
      const known = this.#held.get(attempt.task);
      // The hub gave the task up here and gives it anew.
      if (known !== undefined) this.#abandon(known);
      const held = new Held(attempt);
      this.#held.set(attempt.task, held);
      if ("program" in attempt) this.#awaitReady(held, attempt);
      else this.#queue.push(held);
    }
    this.pump();
  }

  /** Gives attempts back that have not started. */
  recall(task: number, attempt: number): void {
    const held = this.#find(task, attempt);
    if (held?.state === "queued") this.#giveBack(held);
  }

  /** Ends an attempt: at once where it waits or runs in a worker; an inline run is asked to, and keeps its slot until it returns. */
  stop(task: number, attempt: number): boolean {
    const held = this.#find(task, attempt);
    if (held === undefined) return false;
    if (held.state === "queued") this.#giveBack(held);
    else {
      held.stopped = true;
      held.abort();
      if (held.run !== undefined) {
        held.run.kill();
        this.#leave(held);
        this.#listener.dropped(held.what);
        this.pump();
      }
    }
    return true;
  }

  /** Gives back all that has not started. */
  recallAll(): void {
    for (const held of [...this.#held.values()]) this.recall(held.what.task, held.what.attempt);
  }

  /** Aborts all that runs. */
  abortAll(): void {
    for (const held of [...this.#held.values()]) this.stop(held.what.task, held.what.attempt);
  }

  /** Nothing runs before: whoever makes a node gets to hold it before his services are called. */
  begin(): void {
    this.#begun = true;
    this.pump();
  }

  /** Starts what the free slots allow. */
  pump(): void {
    if (!this.#begun) return;
    const turnEnd = performance.now() + TURN_MS;
    while (this.#head < this.#queue.length) {
      const held = this.#queue[this.#head]!;
      if (held.state === "queued" && !this.#mayStart(held)) break;
      this.#head++;
      if (held.state !== "queued") continue;
      this.#listener.beforeStart();
      this.#start(held);
      if (performance.now() > turnEnd) {
        this.#askTurn();
        break;
      }
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #mayStart({ what }: Held): boolean {
    return this.#free > ("program" in what ? -this.#brevity.beyond(what.program) : 0);
  }

  #askTurn(): void {
    if (this.#turnAsked) return;
    this.#turnAsked = true;
    setTimeout(() => {
      this.#turnAsked = false;
      this.pump();
    }, 0);
  }

  /** A program waits for what it needs without keeping others from a slot. */
  #awaitReady(held: Held, attempt: ProgramAttempt): void {
    attempt.ready.then(
      () => {
        if (held.state !== "queued") return;
        this.#queue.push(held);
        this.pump();
      },
      (error: unknown) => {
        if (held.state !== "queued") return;
        this.#forget(held);
        attempt.leave();
        this.#listener.failed(attempt, failureOf(error));
      },
    );
  }

  #start(held: Held): void {
    const { what: attempt } = held;
    if ("program" in attempt) this.#compute(held, attempt);
    else this.#serve(held, attempt);
  }

  #compute(held: Held, attempt: ProgramAttempt): void {
    // What waits in the engine for those before it takes no longer for that.
    const share = Math.max(1, 2 - this.#free);
    this.#free--;
    held.state = "running";
    held.startedAt = performance.now();
    const over = this.#brevity.began(attempt.program);
    const run = attempt.run(() => this.#limit(held));
    held.run = run;
    run.settled.then(
      (computed) => {
        over();
        this.#brevity.took(attempt.program, computed.ms);
        if (held.state === "gone") return;
        this.#leave(held);
        this.#listener.computed(attempt, (performance.now() - held.startedAt) / share, computed);
        this.pump();
      },
      (error: unknown) => {
        over();
        if (held.state === "gone") return;
        this.#failed(held, error);
        this.pump();
      },
    );
  }

  #serve(held: Held, attempt: ServiceAttempt): void {
    const service = this.#services.get(attempt.service);
    if (service === undefined) {
      this.#forget(held);
      this.#listener.failed(attempt, {
        code: "unknown_service",
        message: `This node has no service "${attempt.service}".`,
        retry: true,
      });
      return;
    }
    this.#free--;
    held.state = "running";
    held.startedAt = performance.now();
    const job = new Job(
      attempt.payload,
      attempt.inputs.map((input) => new Content(input)),
    );
    const parts: readonly Content[] = [job, ...job.inputs];
    if (service.stream || parts.every((part) => part.loaded)) this.#run(held, service, job);
    else this.#runLoaded(held, service, job, parts);
  }

  #run(held: Held, service: InstalledService, job: Job): void {
    try {
      if (typeof service.run === "function") {
        const result = runInline(service.run, job, held);
        if (result instanceof Promise) this.#settle(held, result);
        else if ("source" in result) this.#settle(held, Promise.resolve(result));
        else this.#solved(held, result);
      } else {
        const run = this.#modules.run(service.run, job, held);
        held.run = run;
        this.#settle(held, run.settled);
        this.#limit(held);
      }
    } catch (error) {
      this.#failed(held, error);
    }
  }

  /** Brings the large payloads here first; the slot is taken meanwhile. */
  #runLoaded(held: Held, service: InstalledService, job: Job, parts: readonly Content[]): void {
    const unwanted = new Promise<never>((_resolve, reject) =>
      held.signal.addEventListener("abort", () => reject(NOT_WANTED), { once: true }),
    );
    Promise.race([loadAll(parts), unwanted]).then(
      () => {
        if (held.state === "running") this.#run(held, service, job);
        else this.#leave(held);
        this.pump();
      },
      (error: unknown) => {
        if (held.state !== "gone") this.#failed(held, error);
        this.pump();
      },
    );
  }

  /** The bytes of a stream are at the hub before its attempt has an answer. */
  async #outcome(held: Held, { kind, source }: ByteStream): Promise<Outcome> {
    const upload = this.#listener.upload(source);
    held.signal.addEventListener("abort", () => this.#listener.cancel(upload), { once: true });
    await upload.kept;
    return { kind, bytes: NO_BYTES, upload };
  }

  #settle(held: Held, settled: Promise<Outcome | ByteStream>): void {
    settled.then(
      (returned) => {
        if (held.state === "gone") return;
        if ("source" in returned) {
          this.#settle(held, this.#outcome(held, returned));
          return;
        }
        this.#solved(held, returned);
        this.pump();
      },
      (error: unknown) => {
        if (held.state === "gone") return;
        this.#failed(held, error);
        this.pump();
      },
    );
  }

  /** A worker is killed when its time is over; inline services are stopped by the hub, which knows of the lost slot then. */
  #limit(held: Held): void {
    const { timeoutMs } = held.what;
    if (timeoutMs === 0 || held.state === "gone") return;
    held.timer = setTimeout(() => {
      if (held.state === "gone") return;
      held.run?.kill();
      this.#leave(held);
      this.#listener.failed(held.what, {
        code: "attempt_timeout",
        message: `The attempt took longer than ${timeoutMs} ms and was killed.`,
        retry: true,
      });
      this.pump();
    }, timeoutMs);
  }

  #solved(held: Held, outcome: Outcome): void {
    const heard = held.state !== "orphan";
    this.#leave(held);
    if (heard) this.#listener.solved(held.what, performance.now() - held.startedAt, outcome);
  }

  #failed(held: Held, error: unknown): void {
    const heard = held.state !== "orphan";
    this.#leave(held);
    if (!heard) return;
    if (held.stopped) this.#listener.dropped(held.what);
    else this.#listener.failed(held.what, failureOf(error));
  }

  /** Nobody wants its answer: a worker is killed, an inline run is told and keeps its slot until it returns, unheard. */
  #abandon(held: Held): void {
    held.abort();
    held.run?.kill();
    if (held.state === "queued") {
      held.state = "gone";
      if ("program" in held.what) held.what.leave();
    } else if (held.run !== undefined) this.#leave(held);
    else held.state = "orphan";
  }

  /** It leaves the queue without an answer. */
  #giveBack(held: Held): void {
    this.#forget(held);
    if ("program" in held.what) held.what.leave();
    this.#listener.dropped(held.what);
  }

  /** The slot of a run is free again. */
  #leave(held: Held): void {
    clearTimeout(held.timer);
    this.#free++;
    this.#forget(held);
  }

  #forget(held: Held): void {
    held.state = "gone";
    if (this.#held.get(held.what.task) === held) this.#held.delete(held.what.task);
  }

  #find(task: number, attempt: number): Held | undefined {
    const held = this.#held.get(task);
    return held?.what.attempt === attempt ? held : undefined;
  }
}

/** One after the other: a job may have more inputs than streams may run at once. */
async function loadAll(parts: readonly Content[]): Promise<void> {
  for (const part of parts) await part.load();
}

const NO_BYTES = new Uint8Array(0);
