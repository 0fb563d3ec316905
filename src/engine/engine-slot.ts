// One slot: an engine that is started when needed, runs its programs in order, and is killed when one of them must stop.
import { FlockworkError } from "../ids/index.js";
import type { Tensor } from "../tensor/index.js";
import { packTensors, unpackTensors, type FromEngine, type ToEngine } from "./dialogue.js";
import { LoadedPrograms } from "./loaded.js";
import type { EngineEnd, EnginePlace, StartPlace } from "./place.js";
import {
  EngineError,
  type EngineFacts,
  type ProgramResult,
  type ProgramRun,
  type ProgramSource,
} from "./slot.js";

interface Waiting {
  readonly program: ProgramSource;
  readonly inputs: readonly Tensor[];
  readonly solve: (result: ProgramResult) => void;
  readonly fail: (error: unknown) => void;
  sent: boolean;
  killed: boolean;
}

export class EngineSlot {
  private place: EnginePlace | undefined;
  /** In the order of their answers; those that were sent come first. */
  private readonly runs: Waiting[] = [];
  private readonly loaded: LoadedPrograms;
  /** A model that is being asked for; what comes after it waits. */
  private asking = false;
  private closed = false;
  private onReady: { ready: (facts: EngineFacts) => void; unfit: (error: Error) => void } | undefined;

  constructor(
    private readonly start: StartPlace,
    cacheBytes: number,
  ) {
    this.loaded = new LoadedPrograms(cacheBytes);
  }

  /** How many runs it has to do. */
  get waiting(): number {
    return this.runs.length;
  }

  /** Starts the engine, and says what it is. Throws a FlockworkError where it does not start. */
  facts(): Promise<EngineFacts> {
    return new Promise((ready, unfit) => {
      this.onReady = { ready, unfit };
      this.started().busy(true);
    });
  }

  run(program: ProgramSource, inputs: readonly Tensor[]): ProgramRun {
    if (this.closed) throw new FlockworkError("closed", "These engine slots have been closed.");
    let waiting!: Waiting;
    const settled = new Promise<ProgramResult>((solve, fail) => {
      waiting = { program, inputs, solve, fail, sent: false, killed: false };
    });
    this.runs.push(waiting);
    this.pump();
    return { settled, kill: () => this.kill(waiting) };
  }

  close(): void {
    this.closed = true;
    this.runs.length = 0;
    this.drop();
  }

  private kill(run: Waiting): void {
    const at = this.runs.indexOf(run);
    if (at < 0 || run.killed) return;
    run.killed = true;
    if (!run.sent) this.runs.splice(at, 1);
    else if (at === 0) this.killHead();
  }

  /** What runs must stop, and only with its engine. The others were lost on the way, and go again. */
  private killHead(): void {
    this.runs.shift();
    this.drop();
    this.pump();
  }

  private drop(): void {
    this.place?.kill();
    this.gone();
  }

  private gone(): void {
    this.place = undefined;
    this.loaded.clear();
    for (const run of this.runs) run.sent = false;
    for (let i = this.runs.length - 1; i >= 0; i--) if (this.runs[i]!.killed) this.runs.splice(i, 1);
  }

  private started(): EnginePlace {
    if (this.place) return this.place;
    const place: EnginePlace = this.start({
      message: (message) => {
        if (this.place === place) this.hear(message);
      },
      ended: (why) => {
        if (this.place === place) this.ended(why);
      },
    });
    return (this.place = place);
  }

  private hear(message: FromEngine): void {
    switch (message.t) {
      case "ready":
        this.onReady?.ready(message.facts);
        this.onReady = undefined;
        if (this.runs.length === 0) this.place?.busy(false);
        return;
      case "unfit":
        this.ended({ code: "engine_crashed", message: `The engine does not start: ${message.message}` });
        return;
      case "ran": {
        const { ms, types, data } = message;
        this.settle((run) => run.solve({ ms, outputs: unpackTensors({ types, data }) }));
        return;
      }
      case "failed":
        this.settle((run) => run.fail(new EngineError(message.code, message.message, false)));
        return;
      case "measured":
        return;
      default:
        message satisfies never;
    }
  }

  private settle(how: (run: Waiting) => void): void {
    const run = this.runs.shift()!;
    if (!run.killed) how(run);
    if (this.runs[0]?.killed && this.runs[0].sent) this.killHead();
    else if (this.runs.length === 0) this.place?.busy(false);
  }

  private ended({ code, message }: EngineEnd): void {
    this.onReady?.unfit(new FlockworkError("bad_argument", message));
    this.onReady = undefined;
    const head = this.runs[0];
    if (head && (head.sent || !this.asking)) {
      this.runs.shift();
      if (!head.killed) head.fail(new EngineError(code, message, true));
    }
    this.drop();
    this.pump();
  }

  /** Sends what can be sent. */
  private pump(): void {
    if (this.asking) return;
    const messages: ToEngine[] = [];
    for (const run of this.runs) {
      if (run.sent) continue;
      this.started();
      const number = this.loaded.use(run.program.hash);
      if (number === undefined) {
        void this.ask(run);
        break;
      }
      messages.push({ t: "run", program: number, ...packTensors(run.inputs) });
      run.sent = true;
    }
    if (messages.length === 0) return;
    const place = this.started();
    place.busy(true);
    place.send(messages);
  }

  private async ask(run: Waiting): Promise<void> {
    this.asking = true;
    try {
      const model = await run.program.model();
      if (this.closed) return;
      const place = this.started();
      const { number, evicted } = this.loaded.add(run.program.hash, model.length);
      place.send([
        ...evicted.map((program) => ({ t: "drop", program }) as const),
        { t: "load", program: number, model },
      ]);
    } catch (error) {
      const at = this.runs.indexOf(run);
      if (at >= 0) this.runs.splice(at, 1);
      run.fail(error);
    } finally {
      this.asking = false;
      if (!this.closed) this.pump();
    }
  }
}
