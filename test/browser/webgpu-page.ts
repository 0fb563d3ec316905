// Runs in a page: rows of the catalogue on the engine of WebGPU, against the interpreter.
import { catalogue, evaluate, GraphError, loadHostKernels, program } from "../../src/graph/index.js";
import { cases, type Case } from "../../src/graph/cases/index.js";
import { sample, type Sample } from "../../src/graph/cases/sample.js";
import { loadProgram, type Engine } from "../../src/engine/engine.js";
import type { EngineFacts } from "../../src/engine/slot.js";
import { startPageEngine } from "../../src/engine/worker/start-page-engine.js";
import { DTYPES, toNumbers, type DType } from "../../src/tensor/index.js";

const DTYPES_BY_USE = [...new Set<DType>(["float32", ...(Object.keys(DTYPES) as DType[])])];
/** Relative to the largest value. */
const TOLERANCE: Readonly<Partial<Record<DType, number>>> = { float16: 4e-3, float32: 1e-5, float64: 1e-9 };

export interface WebGpuPage {
  start(): Promise<EngineFacts>;
  /** The rows' names, and what each does wrong. */
  rows(): readonly string[];
  tryRow(name: string, all: boolean): Promise<{ readonly tried: number; readonly wrong: readonly string[] }>;
}

let engine: Engine;

const page: WebGpuPage = {
  async start() {
    const started = await startPageEngine({ provider: "webgpu", wasmPaths: `${location.origin}/ort/` });
    ({ engine } = started);
    await loadHostKernels();
    return started.facts;
  },
  rows: () => catalogue.map(({ row }) => row.name),
  async tryRow(name, all) {
    const wrong: string[] = [];
    let tried = 0;
    for (const each of cases[name] ?? []) {
      for (const [dtype, built] of samples(each, all)) {
        tried++;
        const what = `${name} in ${dtype} of ${each.inputs.join(" and ")}`;
        wrong.push(...(await flaws(built, each.tolerance)).map((flaw) => `${what}: ${flaw}`));
      }
    }
    return { tried, wrong };
  },
};
Object.assign(window, page);

/** In every dtype; or in float32, and where the row does not take that, in the first that it takes. */
function samples(each: Case, all: boolean): [DType, Sample][] {
  const open = each.inputs.some((spec) => spec.startsWith("T"));
  const found = (open ? DTYPES_BY_USE : DTYPES_BY_USE.slice(0, 1)).flatMap((dtype): [DType, Sample][] => {
    try {
      return [[dtype, sample(each, dtype)]];
    } catch (error) {
      if (error instanceof GraphError) return [];
      throw error;
    }
  });
  return all ? found : found.slice(0, 1);
}

async function flaws({ inputs, feeds, outputs }: Sample, tolerance = 1e-5): Promise<string[]> {
  const p = program({
    inputs: Object.fromEntries(inputs.map((x) => [x.name!, x])),
    outputs: Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])),
  });
  const used = Object.entries(feeds).filter(([name]) => p.inputs.some((port) => port.name === name));
  try {
    const session = await loadProgram(engine, p);
    const results = await session.run(Object.fromEntries(used));
    await session.release();
    return evaluate(outputs, feeds).flatMap(({ data, shape }, i) => {
      const { dtype } = outputs[i]!;
      const actual = results[`y${i}`]!;
      if (actual.dtype !== dtype || actual.shape.join() !== shape.join()) return [`output ${i} is ${actual}`];
      const scale = data.reduce((top, v) => (Number.isFinite(v) ? Math.max(top, Math.abs(v)) : top), 1);
      const limit = (TOLERANCE[dtype] ?? 0) * scale * (tolerance / 1e-5);
      const values = toNumbers(actual);
      // WGSL promises neither infinities nor NaN.
      const k = values.findIndex(
        (v, at) => Number.isFinite(data[at]!) && !(Math.abs(v - data[at]!) <= limit),
      );
      return k < 0 ? [] : [`element ${k} of output ${i} is ${values[k]}, the interpreter says ${data[k]}`];
    });
  } catch (error) {
    return [String(error)];
  }
}
