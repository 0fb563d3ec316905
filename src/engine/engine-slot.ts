// One slot: an engine that is started when it is needed, runs programs in order, and is killed when one of them must stop.
import { FlockworkError } from "../ids/index.js";
import type { Tensor } from "../tensor/index.js";
import { packTensors, unpackTensors, type FromEngine, type Tensors, type ToEngine } from "./dialogue.js";
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
  readonly inputs: Tensors;
  readonly solve: (result: ProgramResult) => void;
  readonly fail: (error: unknown) => void;
  sent: boolean;
  killed: boolean;
}

export class EngineSlot {
  private place: EnginePlace | undefined;
  /** In the order of their answers; those that were sent come first. */
  private runs: Waiting[] = [];
  private readonly loaded: LoadedPrograms;
  /** What comes after a model that is being asked for waits. */
  private asking = false;
  private pumping = false;
  private closed = false;
  private retired = false;
  private facts: EngineFacts | undefined;
  private starting: { ready: (facts: EngineFacts) => void; unfit: (error: Error) => void } | undefined;

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
  ready(): Promise<EngineFacts> {
    return new Promise((ready, unfit) => {
      this.starting = { ready, unfit };
      this.started().busy(true);
    });
  }

  run(program: ProgramSource, inputs: readonly Tensor[]): ProgramRun {
    if (this.closed) throw new FlockworkError("closed", "The engine has been closed; start another.");
    let waiting!: Waiting;
    const settled = new Promise<ProgramResult>((solve, fail) => {
      waiting = { program, inputs: packTensors(inputs), solve, fail, sent: false, killed: false };
    });
    this.runs.push(waiting);
    this.pumpSoon();
    return { settled, kill: () => this.kill(waiting) };
  }

  /** Does what it was given, and closes then. */
  async retire(): Promise<void> {
    this.retired = true;
    if (this.runs.length === 0) await this.close();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.runs = [];
    await this.drop();
  }

  private kill(run: Waiting): void {
    const at = this.runs.indexOf(run);
    if (at < 0) return;
    run.killed = true;
    if (!run.sent) this.runs.splice(at, 1);
    // One that waits in the engine for others is left there until it is its turn.
    else if (at === 0) this.startOver();
  }

  /** What runs can be stopped only together with its engine. The others there were lost, and go again. */
  private startOver(): void {
    void this.drop();
    this.pumpSoon();
  }

  private drop(): Promise<void> | undefined {
    const place = this.place;
    this.place = undefined;
    this.loaded.clear();
    this.runs = this.runs.filter(({ killed }) => !killed);
    for (const run of this.runs) run.sent = false;
    return place?.kill();
  }

  private started(): EnginePlace {
    if (this.place) return this.place;
    this.facts = undefined;
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
        this.facts = message.facts;
        this.starting?.ready(message.facts);
        this.starting = undefined;
        this.rest();
        return;
      case "unfit":
        this.ended({ code: "engine_crashed", message: message.message });
        return;
      case "ran":
        this.answer(message.t, (run) => {
          const outputs = unpackTensors(message);
          run.solve({ outputs, ms: message.ms });
        });
        return;
      case "failed":
        this.answer(message.t, (run) => {
          run.fail(new EngineError(message.code, message.message, message.code === "out_of_memory"));
        });
        return;
      case "full":
        this.makeRoom();
        return;
      case "lost":
        this.startOver();
        return;
      default:
        throw new Error(`The engine said ${JSON.stringify(message satisfies never)}`);
    }
  }

  /** The answer to what was sent first. */
  private answer(what: string, how: (run: Waiting) => void): void {
    const run = this.runs[0];
    if (!run?.sent) throw new Error(`The engine answered "${what}" to nothing`);
    if (!run.killed) how(run);
    this.runs.shift();
    const next = this.runs[0];
    if (next?.killed) this.startOver();
    else this.rest();
  }

  private rest(): void {
    if (this.runs.length > 0) return;
    this.place?.busy(false);
    if (this.retired) void this.close();
  }

  /** Sessions keep memory for their next run. Where letting go of them is not enough, the engine starts anew. */
  private makeRoom(): void {
    const [run, next] = this.runs;
    const others = run && !next?.sent ? this.loaded.keepOnly(run.program.hash) : [];
    if (!run || run.killed || others.length === 0) {
      this.startOver();
      return;
    }
    this.place?.send(others.map((program): ToEngine => ({ t: "drop", program })));
    run.sent = false;
    this.pumpSoon();
  }

  /** The engine is gone, and what ran in it is told so; an engine that never came to life is told to whoever waits for it. */
  private ended({ code, message }: EngineEnd): void {
    const head = this.runs[0];
    if (head && (head.sent || !this.facts)) {
      this.runs.shift();
      if (!head.killed) head.fail(new EngineError(code, message, true));
    }
    this.starting?.unfit(new FlockworkError("bad_argument", message));
    this.starting = undefined;
    this.startOver();
  }

  /** At the end of this turn, so that what is asked for together travels together. */
  private pumpSoon(): void {
    if (this.pumping) return;
    this.pumping = true;
    queueMicrotask(() => {
      this.pumping = false;
      this.pump();
    });
  }

  private pump(): void {
    if (this.asking || this.closed) return;
    const messages: ToEngine[] = [];
    for (const run of this.runs) {
      if (run.sent) continue;
      // Before its books are asked: a new one knows no program.
      this.started().busy(true);
      const program = this.loaded.use(run.program.hash);
      if (program === undefined) {
        void this.ask(run);
        break;
      }
      messages.push({ t: "run", program, ...run.inputs });
      run.sent = true;
    }
    if (messages.length > 0) this.place!.send(messages);
  }

  private async ask(run: Waiting): Promise<void> {
    this.asking = true;
    try {
      const model = await run.program.model();
      if (this.closed) return;
      const place = this.started();
      const { number, evicted } = this.loaded.add(run.program.hash, model.length);
      place.send([
        ...evicted.map((program): ToEngine => ({ t: "drop", program })),
        { t: "load", program: number, model },
      ]);
    } catch (error) {
      if (!run.killed) run.fail(error);
      this.runs = this.runs.filter((each) => each !== run);
      this.rest();
    } finally {
      this.asking = false;
      this.pumpSoon();
    }
  }
}
