// The programs that one engine has loaded: checked before they load, run one at a time, told of by number. The inside of a slot.
import { check, load, program as programOf, type Checked } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import { packTensors, unpackTensors, type FromEngine, type ToEngine } from "./dialogue.js";
import { loadProgram, type Engine, type Session } from "./engine.js";

/** A loaded program, its inputs and outputs by position. */
interface Loaded {
  readonly session: Session;
  readonly checked: Checked;
  /** The types of inputs that were found to fit. */
  readonly fitting: Set<string>;
}

type Failed = Extract<FromEngine, { t: "failed" }>;
/** Kinds of inputs that are remembered as fitting; a program with more forgets them. */
const FITTING = 256;

export class Sessions {
  private readonly programs = new Map<number, Loaded | Failed>();

  constructor(
    private readonly engine: Engine,
    /** Bytes that a program may need at once. */
    private readonly memory: number,
  ) {}

  async load(program: number, model: Uint8Array): Promise<void> {
    this.programs.set(program, await this.loaded(model));
  }

  async drop(program: number): Promise<void> {
    const known = this.programs.get(program);
    this.programs.delete(program);
    if (known && !("t" in known)) await known.session.release();
  }

  async run({ program, ...tensors }: Extract<ToEngine, { t: "run" }>): Promise<FromEngine> {
    const known = this.programs.get(program);
    if (!known) throw new Error(`a run of program ${program}, which was not loaded`);
    if ("t" in known) return known;
    const { session, checked, fitting } = known;
    const inputs = unpackTensors(tensors);
    const key = tensors.types.join(";");
    try {
      if (!fitting.has(key)) {
        expectCount(session.inputs, inputs);
        checked.accept(byName(session.inputs, inputs));
        if (fitting.size >= FITTING) fitting.clear();
        fitting.add(key);
      }
    } catch (error) {
      return failed("program_refused", error, false);
    }
    const started = performance.now();
    try {
      const results = await session.run(byName(session.inputs, inputs));
      const ms = performance.now() - started;
      return { t: "ran", ms, ...packTensors(session.outputs.map((name) => results[name]!)) };
    } catch (error) {
      return failed("program_error", error, false);
    }
  }

  private async loaded(model: Uint8Array): Promise<Loaded | Failed> {
    let checked: Checked;
    try {
      checked = check(model, { memory: this.memory });
    } catch (error) {
      return failed("program_refused", error, true);
    }
    try {
      return { checked, session: await this.sessionOf(model), fitting: new Set() };
    } catch (error) {
      return failed("program_error", error, true);
    }
  }

  private sessionOf(model: Uint8Array): Promise<Session> {
    // The bytes tell at once; reading the model takes milliseconds.
    return mentionsHost(model) ? this.hosted(model) : this.engine.load(model);
  }

  private async hosted(bytes: Uint8Array): Promise<Session> {
    const model = load(bytes);
    const session = await loadProgram(
      this.engine,
      programOf({ inputs: model.inputs, outputs: model.outputs }),
    );
    // The program has an order of its own, and not the inputs that no output needs.
    return {
      ...session,
      inputs: model.inputNames,
      outputs: model.outputNames,
      run: (given) =>
        session.run(
          byName(
            session.inputs,
            session.inputs.map((name) => given[name]!),
          ),
        ),
    };
  }
}

const HOST_DOMAIN = new TextEncoder().encode("flockwork.host");

function mentionsHost(model: Uint8Array): boolean {
  for (let at = model.indexOf(HOST_DOMAIN[0]!); at >= 0; at = model.indexOf(HOST_DOMAIN[0]!, at + 1))
    if (HOST_DOMAIN.every((byte, i) => model[at + i] === byte)) return true;
  return false;
}

function byName(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  const out: Record<string, Tensor> = {};
  names.forEach((name, i) => {
    out[name] = tensors[i]!;
  });
  return out;
}

function expectCount(names: readonly string[], inputs: readonly Tensor[]): void {
  if (names.length !== inputs.length)
    throw new Error(`the program has ${names.length} inputs, ${inputs.length} were given`);
}

function failed(code: Failed["code"], error: unknown, always: boolean): Failed {
  return { t: "failed", code, message: error instanceof Error ? error.message : String(error), always };
}
