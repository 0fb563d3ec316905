// Every row against the interpreter: in every dtype on the native engine, in two on the WebAssembly one, or in all with FLOCKWORK_ROWS=all.
// A dtype that no engine computes must be refused where it is built.
import { beforeAll, describe, expect, it } from "vitest";
import { catalogue, evaluate, GraphError, loadHostKernels, program } from "../graph/index.js";
import { cases, type Case } from "../graph/cases/index.js";
import { sample, type Sample } from "../graph/cases/sample.js";
import { DTYPES, toNumbers, type DType } from "../tensor/index.js";
import { loadProgram, type Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

/** Relative to the largest value. */
const TOLERANCE: Readonly<Partial<Record<DType, number>>> = { float16: 4e-3, float32: 1e-5, float64: 1e-9 };

const EVERY = Object.keys(DTYPES) as DType[];
const INTEGERS = EVERY.filter((dtype) => !DTYPES[dtype].float);

/** Float32, and the first integer dtype that the row takes, from a place that moves from row to row: together the rows see all. */
function two(built: readonly Built[], row: number): readonly Built[] {
  const turned = INTEGERS.map((_, i) => INTEGERS[(row + i) % INTEGERS.length]!);
  const integer = turned.find((dtype) => built.some((each) => each.dtype === dtype));
  return built.filter(({ dtype }) => dtype === "float32" || dtype === integer);
}

interface Built {
  readonly dtype: DType;
  readonly sample: Sample;
}

describe.each([
  ["onnxruntime-node", ortNodeEngine, "all"],
  ["onnxruntime-web", ortWebEngine, process.env.FLOCKWORK_ROWS === "all" ? "all" : "two"],
] as const)("%s", (_, start, dtypes) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
    await loadHostKernels();
  });

  it.each(catalogue.map(({ row }, at) => [row.name, at] as const))("%s", async (name, at) => {
    let tried = 0;
    for (const each of cases[name] ?? []) {
      const open = each.inputs.some((spec) => spec.startsWith("T"));
      const built = (open ? EVERY : EVERY.slice(0, 1)).flatMap((dtype) => build(each, dtype));
      for (const { dtype, sample } of dtypes === "all" ? built : two(built, at)) {
        tried++;
        await compare(engine, sample, `${name} in ${dtype} of ${each.inputs.join(" and ")}`, each.tolerance);
      }
    }
    expect(tried).toBeGreaterThan(0);
  });
});

/** What was built, or nothing where it was refused with a reason. */
function build(each: Case, dtype: DType): Built[] {
  try {
    return [{ dtype, sample: sample(each, dtype) }];
  } catch (error) {
    if (error instanceof GraphError) return [];
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
