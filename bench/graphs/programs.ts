// The programs of this bench, and bare ONNX Runtime: a session in this process with nothing round it.
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { input, program, Tensor, type Program } from "../../dist/graph/index.js";

export interface Work {
  readonly program: Program;
  readonly inputs: Readonly<Record<string, Tensor>>;
}

const SIDE = 768;

export function zeros(...shape: number[]): Tensor {
  return new Tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
}

/** x + 1 of eight numbers. */
export function tinyWork(): Work {
  const x = input("x", "float32", [8]);
  return { program: program({ outputs: { y: x.add(1) } }), inputs: { x: zeros(8) } };
}

/** `times` products of 768 x 768; in and out go 3 KiB, or with `large` 2.25 MiB. */
export function products(times: number, large = false): Work {
  const x = large ? input("x", "float32", [SIDE, SIDE]) : input("x", "float32", [SIDE]);
  const first = large ? x : x.reshape([SIDE, 1]).mul(x.reshape([1, SIDE]));
  let y = first;
  for (let i = 0; i < times; i++) y = y.matmul(first);
  if (!large) y = y.sum([0]);
  return { program: program({ outputs: { y } }), inputs: { x: large ? zeros(SIDE, SIDE) : zeros(SIDE) } };
}

/** Inputs of their own for one more run: the same tensor would be sent once. */
export function fresh({ inputs }: Work): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, zeros(...shape)]));
}

/** Runs of bare ONNX Runtime with one thread: the function runs it once. */
export async function bareRun({ program, inputs }: Work): Promise<() => Promise<void>> {
  const session = await InferenceSession.create(program.model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const feeds = Object.fromEntries(
    program.inputs.map(({ name }, i) => {
      const { shape, data } = inputs[name]!;
      return [session.inputNames[i]!, new OrtTensor("float32", data as Float32Array, [...shape])];
    }),
  );
  return async () => void (await session.run(feeds));
}

/** How many products take about so many milliseconds here. */
export async function productsFor(ms: number, large = false): Promise<number> {
  const some = 8;
  const run = await bareRun(products(some, large));
  let best = Infinity;
  for (let i = 0; i < 12; i++) {
    const started = performance.now();
    await run();
    best = Math.min(best, performance.now() - started);
  }
  return Math.max(1, Math.round((some * ms) / best));
}
