// SGD steps on a bare engine: what a step gives for the parameters is what the next step gets.
import type { Engine, Session } from "../../src/engine/engine.js";
import type { Program } from "../../src/graph/index.js";
import type { Tensor } from "../../src/tensor/index.js";
import type { Contender } from "./contest.js";
import { batchOf, parameters, type Model } from "./models.js";

export interface Steps {
  readonly contender: Contender;
  /** The loss of the step that was last run, and what it made of the parameters. */
  last(): Readonly<Record<string, Tensor>>;
}

/** A program of `inner` steps under canonical names. */
export async function programSteps(engine: Engine, model: Model, p: Program, inner = 1): Promise<Steps> {
  const slots = (ports: Program["inputs"]): Map<string, string> =>
    new Map(ports.map(({ name, slot }) => [name, slot]));
  const constants = Object.fromEntries(
    p.inputs.flatMap(({ slot, initial }) => (initial ? [[slot, initial]] : [])),
  );
  return steps(await engine.load(p.model), model, slots(p.inputs), slots(p.outputs), inner, constants);
}

/** A model that was written by hand, under its own names. */
export async function handSteps(engine: Engine, model: Model, bytes: Uint8Array): Promise<Steps> {
  return steps(await engine.load(bytes), model, new Map(), new Map(), 1);
}

function steps(
  session: Session,
  model: Model,
  ins: ReadonlyMap<string, string>,
  outs: ReadonlyMap<string, string>,
  inner: number,
  constants: Readonly<Record<string, Tensor>> = {},
): Steps {
  const names = Object.keys(model.shapes);
  const into = (name: string): string => ins.get(name) ?? name;
  const out = (name: string): string => outs.get(name) ?? name;
  const feeds: Record<string, Tensor> = { ...constants };
  for (const [name, value] of Object.entries({ ...batchOf(model), ...parameters(model) }))
    feeds[into(name)] = value;
  let results: Record<string, Tensor> = {};
  return {
    contender: async (count) => {
      const runs = Math.ceil(count / inner);
      const start = performance.now();
      for (let i = 0; i < runs; i++) {
        results = await session.run(feeds);
        for (const name of names) feeds[into(name)] = results[out(`next_${name}`)]!;
      }
      return (performance.now() - start) / 1000 / (runs * inner);
    },
    last: () =>
      Object.fromEntries(
        ["loss", ...names].map((name) => [name, results[out(name === "loss" ? name : `next_${name}`)]!]),
      ),
  };
}
