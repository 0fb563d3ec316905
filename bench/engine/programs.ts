// The programs of the engine bench, as slots take them, and run bare: by the engine's own session, in this process.
import type { Engine, Session } from "../../src/engine/engine.js";
import type { EngineSlots, ProgramSource } from "../../src/engine/slot.js";
import { input, program, type Program } from "../../src/graph/index.js";
import { Tensor } from "../../src/tensor/index.js";
import type { Contender } from "../graph/contest.js";

export interface Work {
  readonly source: ProgramSource;
  readonly model: Uint8Array;
  readonly inputs: readonly Tensor[];
}

function work({ hash, model }: Program, inputs: readonly Tensor[]): Work {
  return { source: { hash, model: () => Promise.resolve(model) }, model, inputs };
}

/** x + 1, `n` float32. */
export function addOne(n: number): Work {
  const x = input("x", "float32", [n]);
  return work(program({ outputs: { y: x.add(1) } }), [new Tensor("float32", [n], new Float32Array(n))]);
}

/** `times` products of 768 x 768, with a matrix in and a number out. */
export function products(times: number): Work {
  const side = 768;
  const x = input("x", "float32", [side, side]);
  let y = x;
  for (let i = 0; i < times; i++) y = y.matmul(x);
  return work(program({ outputs: { y } }), [
    new Tensor("float32", [side, side], new Float32Array(side * side)),
  ]);
}

/** The engine's session, with as little round it as can be. */
export async function bare(
  engine: Engine,
  { model, inputs }: Work,
): Promise<Contender & { session: Session }> {
  const session = await engine.load(model);
  const feeds = Object.fromEntries(session.inputs.map((name, i) => [name, inputs[i]!]));
  const contender = async (steps: number): Promise<number> => {
    const started = performance.now();
    for (let i = 0; i < steps; i++) await session.run(feeds);
    return (performance.now() - started) / 1000 / steps;
  };
  return Object.assign(contender, { session });
}

/** Through the slots, `ahead` runs at a time. */
export function through(slots: EngineSlots, { source, inputs }: Work, ahead = 1): Contender {
  return async (steps) => {
    const started = performance.now();
    let left = steps;
    const chain = async (): Promise<void> => {
      while (left-- > 0) await slots.run(source, inputs).settled;
    };
    await Promise.all(Array.from({ length: ahead }, chain));
    return (performance.now() - started) / 1000 / steps;
  };
}
