// The programs that one engine has loaded: checked before they load, run one at a time, told of by number. The inside of a slot.
import { check, LimitError, load, program as programOf, type Checked } from "../graph/index.js";
import { HOST_DOMAIN } from "../graph/onnx/lower.js";
import type { Tensor } from "../tensor/index.js";
import { packTensors, unpackTensors, type FromEngine, type ToEngine } from "./dialogue.js";
import { loadProgram, type Engine, type Session } from "./engine.js";

/** A loaded program, its inputs and outputs by position. */
interface Loaded {
  readonly session: Session;
  readonly checked: Checked;
  /** Bytes that a run needs, by the types of its inputs: those that were found to fit. */
  readonly needs: Map<string, number>;
}

type Failed = Extract<FromEngine, { t: "failed" }>;
/** Kinds of inputs that are remembered; a program with more forgets them. */
const KINDS = 256;

export interface SessionsOptions {
  /** Bytes that one program may need at once, as `check` counts. */
  readonly memory: number;
  /** Whether so many bytes more can be had. */
  readonly hasRoom?: (bytes: number) => boolean;
}

export class Sessions {
  private readonly programs = new Map<number, Loaded | Failed>();

  constructor(
    private readonly engine: Engine,
    private readonly options: SessionsOptions,
  ) {}

  /** Does what it is told; the answer to a run. */
  async handle(message: ToEngine): Promise<FromEngine | undefined> {
    switch (message.t) {
      case "load":
        this.programs.set(message.program, await this.load(message.model));
        return undefined;
      case "drop":
        await this.drop(message.program);
        return undefined;
      case "run":
        return this.run(message);
      default:
        return message satisfies never;
    }
  }

  private async load(model: Uint8Array): Promise<Loaded | Failed> {
    let checked: Checked;
    try {
      checked = check(model, { memory: this.options.memory });
    } catch (error) {
      return refused(error);
    }
    try {
      // A copy: what it lies in is used again.
      return { checked, session: await this.sessionOf(model.slice()), needs: new Map() };
    } catch (error) {
      return engineFailed(error);
    }
  }

  private async drop(program: number): Promise<void> {
    const known = this.programs.get(program);
    this.programs.delete(program);
    if (known && "session" in known) await known.session.release();
  }

  private async run({ program, types, data }: Extract<ToEngine, { t: "run" }>): Promise<FromEngine> {
    const known = this.programs.get(program);
    if (!known) throw new Error(`A run of program ${program}, which was not loaded`);
    if ("t" in known) return known;
    const { session } = known;
    const inputs = unpackTensors({ types, data });
    let needs: number;
    try {
      needs = needsOf(known, types.join(";"), inputs);
    } catch (error) {
      return refused(error);
    }
    if (this.options.hasRoom?.(needs) === false) return { t: "full" };
    const started = performance.now();
    try {
      const results = await session.run(byName(session.inputs, inputs));
      const ms = performance.now() - started;
      return { t: "ran", ms, ...packTensors(session.outputs.map((name) => results[name]!)) };
    } catch (error) {
      return engineFailed(error);
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
    return {
      ...session,
      // The program has an order of its own, and leaves out inputs that no output needs.
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

/** Bytes that a run on these inputs needs. Throws a GraphError where they do not fit the program or the limits. */
function needsOf({ session, checked, needs }: Loaded, key: string, inputs: readonly Tensor[]): number {
  const known = needs.get(key);
  if (known !== undefined) return known;
  const { length } = session.inputs;
  if (inputs.length !== length)
    throw new Error(
      `the program takes ${length} input${length === 1 ? "" : "s"}, ${inputs.length} were given`,
    );
  const { memory } = checked.cost(checked.accept(byName(session.inputs, inputs)));
  if (needs.size >= KINDS) needs.clear();
  needs.set(key, memory);
  return memory;
}

const HOST_BYTES = new TextEncoder().encode(HOST_DOMAIN);

function mentionsHost(model: Uint8Array): boolean {
  for (let at = model.indexOf(HOST_BYTES[0]!); at >= 0; at = model.indexOf(HOST_BYTES[0]!, at + 1))
    if (HOST_BYTES.every((byte, i) => model[at + i] === byte)) return true;
  return false;
}

function byName(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
}

/** What is too large for this engine may not be for another. */
function refused(error: unknown): Failed {
  return failed(isTooLarge(error) ? "out_of_memory" : "program_refused", error);
}

/** Whoever says where it arose has the limit as its cause. */
function isTooLarge(error: unknown): boolean {
  if (error instanceof LimitError) return error.limit === "memory";
  return error instanceof Error && isTooLarge(error.cause);
}

/** What runtimes and JavaScript say when there is no more memory, or more is wanted than they can count. */
const NO_MEMORY = /failed to allocate|bad_alloc|out of memory|array buffer allocation failed|safeint/i;

/** Throws where the engine is broken by it: WebAssembly that has trapped does not run again. */
function engineFailed(error: unknown): Failed {
  if (error instanceof Error && error.cause instanceof WebAssembly.RuntimeError) throw error;
  const said = failed("program_error", error);
  return NO_MEMORY.test(said.message) ? { ...said, code: "out_of_memory" } : said;
}

function failed(code: Failed["code"], error: unknown): Failed {
  return { t: "failed", code, message: error instanceof Error ? error.message : String(error) };
}
