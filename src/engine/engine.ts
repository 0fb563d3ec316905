// What an engine is: something on this device that runs ONNX models. One interface; the drivers are beside it.
import type { Tensor } from "../tensor/index.js";
import type { Program } from "../graph/index.js";
import { hasHostOperators } from "./host-segments.js";
import { loadHostProgram } from "./host-session.js";

export interface Engine {
  /** `onnxruntime-node`, `onnxruntime-web`. */
  readonly name: string;
  readonly version: string;
  /** Prepares a model. Throws a FlockworkError when the runtime refuses it. */
  load(model: Uint8Array): Promise<Session>;
}

export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Runs it on values by name. The results are the caller's own: a later run does not touch them. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** Loads `program` on `engine`, to be run on values by the names its user gave. Host operators run here, between the engine's models. */
export async function loadProgram(engine: Engine, program: Program): Promise<Session> {
  if (hasHostOperators(program)) return loadHostProgram(program, (part) => loadModel(engine, part));
  return loadModel(engine, program);
}

async function loadModel(engine: Engine, program: Program): Promise<Session> {
  const session = await engine.load(program.model);
  return {
    inputs: program.inputs.map(({ name }) => name),
    outputs: program.outputs.map(({ name }) => name),
    async run(given) {
      const results = await session.run(program.feeds(given));
      return Object.fromEntries(program.outputs.map(({ name, slot }) => [name, results[slot]!]));
    },
    release: () => session.release(),
  };
}
