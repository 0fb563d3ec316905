// Runs a program that holds host operators: its models on an engine, the host operators here, step by step.
import { evaluate, loadHostKernels, type Program } from "../graph/index.js";
import { symbolsOf } from "../graph/dim.js";
import type { Tensor } from "../tensor/index.js";
import type { Session } from "./engine.js";
import { segmentsOf } from "./host-segments.js";

type RunStep = (values: Readonly<Record<string, Tensor>>) => Promise<Readonly<Record<string, Tensor>>>;

/** Loads the models of `program` by `load`, and what host operators compute with. */
export async function loadHostProgram(
  program: Program,
  load: (program: Program) => Promise<Session>,
): Promise<Session> {
  await loadHostKernels();
  const { steps, results } = segmentsOf(program);
  const sessions: Session[] = [];
  const runs: RunStep[] = [];
  for (const step of steps) {
    if (step.kind === "model") {
      const session = await load(step.program);
      sessions.push(session);
      runs.push((values) =>
        session.run(Object.fromEntries(session.inputs.map((name) => [name, values[name]!]))),
      );
    } else {
      const names = Object.keys(step.outputs);
      const outputs = Object.values(step.outputs);
      runs.push((values) => {
        const made = evaluate(outputs, values, lengthsIn(program, values));
        return Promise.resolve(Object.fromEntries(names.map((name, i) => [name, made[i]!.toTensor()])));
      });
    }
  }
  return {
    inputs: program.inputs.map(({ name }) => name),
    outputs: program.outputs.map(({ name }) => name),
    async run(given) {
      let values: Readonly<Record<string, Tensor>> = program.feeds(given);
      for (const run of runs) values = { ...values, ...(await run(values)) };
      return Object.fromEntries(program.outputs.map(({ name }, i) => [name, values[results[i]!]!]));
    },
    async release() {
      await Promise.all(sessions.map((session) => session.release()));
    },
  };
}

/** What the program's symbols stand for, told by the values of its inputs. */
function lengthsIn(program: Program, values: Readonly<Record<string, Tensor>>): Record<string, number> {
  const lengths: Record<string, number> = {};
  for (const { node } of program.graph.inputs)
    node.types[0]!.shape.forEach((dim, axis) => {
      if (typeof dim === "string" && symbolsOf(dim)[0] === dim)
        lengths[dim] = values[node.source!.name!]!.shape[axis]!;
    });
  return lengths;
}
