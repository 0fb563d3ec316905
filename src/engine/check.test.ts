// What check says of a model's outputs is what the engine makes of it: also for models with bytes changed, where the two might read differently.
import fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../graph/cases/index.js";
import { sample } from "../graph/cases/sample.js";
import { check, GraphError, program, type Checked, type Expression } from "../graph/index.js";
import { DTYPES, Tensor, type TensorData } from "../tensor/index.js";
import type { Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";

function models(): [string, Uint8Array][] {
  return Object.entries(cases).flatMap(([name, list]) =>
    list.flatMap((each): [string, Uint8Array][] => {
      try {
        const { outputs } = sample(each, "float32");
        const p = program({ outputs: Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])) });
        return p.graph.nodes.some(({ row }) => row.kind === "host") ? [] : [[name, p.model]];
      } catch (error) {
        if (error instanceof GraphError) return [];
        throw error;
      }
    }),
  );
}

function accepted(bytes: Uint8Array): Checked | undefined {
  try {
    return check(bytes, { memory: 2 ** 26 });
  } catch (error) {
    if (error instanceof GraphError) return undefined;
    throw error;
  }
}

function known({ shape }: Expression): boolean {
  return shape.every((dim) => typeof dim === "number");
}

/** The engine's results on zeros; none where it refuses the model. */
async function results(
  engine: Engine,
  bytes: Uint8Array,
  { inputs }: Checked,
): Promise<Record<string, Tensor>> {
  const zeros = Object.entries(inputs).map(([name, { dtype, shape }]) => {
    const size = (shape as readonly number[]).reduce((a, b) => a * b, 1);
    return [name, new Tensor(dtype, shape as readonly number[], new DTYPES[dtype].array(size) as TensorData)];
  });
  try {
    const session = await engine.load(bytes);
    return await session
      .run(Object.fromEntries(zeros) as Record<string, Tensor>)
      .finally(() => session.release());
  } catch {
    return {};
  }
}

it("says the shapes that the engine makes", async () => {
  const engine = await ortNodeEngine();
  const all = models();
  await fc.assert(
    fc.asyncProperty(fc.nat(all.length - 1), fc.nat(), fc.nat(20), async (which, at, value) => {
      const [name, bytes] = all[which]!;
      const changed = bytes.slice();
      changed[at % bytes.length] = value;
      const checked = accepted(changed);
      if (!checked || !Object.values(checked.inputs).every(known)) return;
      for (const [output, y] of Object.entries(await results(engine, changed, checked)))
        if (known(checked.outputs[output]!))
          expect([name, ...y.shape]).toEqual([name, ...checked.outputs[output]!.shape]);
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 3000), seed: 5 },
  );
});
