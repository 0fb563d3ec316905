// Every row in every dtype on every engine against the interpreter; a dtype that no engine computes must be refused where it is built.
import { beforeAll, describe, expect, it } from "vitest";
import { catalogue, evaluate, GraphError, loadHostKernels, program } from "../graph/index.js";
import { cases } from "../graph/cases/index.js";
import { sample, type Sample } from "../graph/cases/sample.js";
import { DTYPES, toNumbers, type DType } from "../tensor/index.js";
import { loadProgram, type Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

/** Relative to the largest value. */
const TOLERANCE: Readonly<Partial<Record<DType, number>>> = { float16: 4e-3, float32: 1e-5, float64: 1e-9 };

describe.each([
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const)("%s", (_, start) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
    await loadHostKernels();
  });

  it.each(catalogue.map(({ row }) => row.name))("%s", async (name) => {
    let built = 0;
    for (const each of cases[name] ?? [])
      for (const dtype of each.inputs.some((spec) => spec.startsWith("T"))
        ? (Object.keys(DTYPES) as DType[])
        : (["float32"] as const)) {
        const tried = build(() => sample(each, dtype));
        if (!tried) continue;
        built++;
        await compare(engine, tried, `${name} in ${dtype} of ${each.inputs.join(" and ")}`, each.tolerance);
      }
    expect(built).toBeGreaterThan(0);
  });
});

/** What was built, or nothing where it was refused with a reason. */
function build(make: () => Sample): Sample | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof GraphError) return undefined;
    throw error;
  }
}

async function compare(
  engine: Engine,
  { inputs, feeds, outputs }: Sample,
  what: string,
  tolerance = 1e-5,
): Promise<void> {
  const p = program({
    inputs: Object.fromEntries(inputs.map((x) => [x.name!, x])),
    outputs: Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])),
  });
  const used = Object.fromEntries(
    Object.entries(feeds).filter(([name]) => p.inputs.some((port) => port.name === name)),
  );
  const session = await loadProgram(engine, p).catch((cause: unknown) => {
    throw new Error(`${what}: ${String(cause)}`);
  });
  const results = await session.run(used);
  await session.release();
  const expected = evaluate(outputs, feeds);
  outputs.forEach((y, i) => {
    const actual = results[`y${i}`]!;
    expect(actual.dtype, what).toBe(y.dtype);
    expect(actual.shape, what).toEqual(expected[i]!.shape);
    const values = toNumbers(actual);
    const scale = expected[i]!.data.reduce(
      (top, v) => (Number.isFinite(v) ? Math.max(top, Math.abs(v)) : top),
      1,
    );
    const limit = (TOLERANCE[y.dtype] ?? 0) * scale * (tolerance / 1e-5);
    values.forEach((value, k) => {
      const wanted = expected[i]!.data[k]!;
      if (!Object.is(value, wanted) && !(Math.abs(value - wanted) <= limit))
        expect.fail(`${what}: element ${k} is ${value}, the interpreter says ${wanted}`);
    });
  });
}
