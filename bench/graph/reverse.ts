// What gradients cost: forward and gradient together against forward alone, for the models, for large products, and for every row of the catalogue.
import { loadProgram, type Engine } from "../../src/engine/engine.js";
import { cases } from "../../src/graph/cases/index.js";
import { sample, type Sample } from "../../src/graph/cases/sample.js";
import {
  catalogue,
  GraphError,
  input,
  loadHostKernels,
  program,
  pullBack,
  type Expression,
  type Program,
} from "../../src/graph/index.js";
import { toTensor, type Tensor } from "../../src/tensor/index.js";
import { contest, print, round, type Contender } from "./contest.js";
import { batchOf, cnn, forwardAndBoth, mlp } from "./models.js";

/** The most that forward and gradient may take, in forwards. */
const REACH = 4;

/** A row's case is made so many times larger along every axis, where it can be. */
const LARGER = [16, 8, 4, 2, 1] as const;
const MOST_ELEMENTS = 2 ** 20;

interface Pair {
  readonly forward: Program;
  readonly both: Program;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

export async function reverse(engine: Engine, rounds: number): Promise<void> {
  for (const model of [mlp, cnn])
    await figure(engine, `${model.name}, batch ${model.batch}`, model === mlp ? 100 : 10, rounds, {
      ...forwardAndBoth(model),
      feeds: batchOf(model),
    });
  const matrix = (): Expression[] => [input("a", "float32", [256, 256]), input("b", "float32", [256, 256])];
  await figure(
    engine,
    "MatMul, 256 x 256 x 256",
    50,
    rounds,
    pair(matrix(), ([a, b]) => [a!.matmul(b!)]),
  );
  const layer = [input("x", "float32", [8, 32, 28, 28]), input("w", "float32", [32, 32, 3, 3])];
  await figure(
    engine,
    "Conv, 8 x 32 x 28 x 28 by 32 x 32 x 3 x 3",
    5,
    rounds,
    pair(layer, ([x, w]) => [x!.conv(w!, { padding: 1 })]),
  );
}

async function figure(engine: Engine, what: string, steps: number, rounds: number, p: Pair): Promise<void> {
  const { forward, both, times } = await measured(engine, p, steps, rounds);
  print({
    bench: "gradients",
    what: `${what}: forward and gradients against forward`,
    unit: "ms",
    forward: round(forward * 1000),
    both: round(both * 1000),
    times: round(times),
    reach: REACH,
    ok: times <= REACH,
  });
}

/** Every other differentiable row, at its case of most elements, enlarged. */
export async function everyRow(engine: Engine): Promise<void> {
  await loadHostKernels();
  for (const { row } of catalogue) {
    const made = largest(row.name);
    if (!made) continue;
    const { scale, p } = made;
    const { forward, both, times } = await measured(engine, p, 4, 5);
    const lengths = p.forward.inputs.map(({ type }) => type.shape.join("x") || "scalar");
    print({
      bench: "rows",
      what: row.name,
      family: row.family,
      inputs: lengths.join(" "),
      enlarged: scale,
      unit: "us",
      forward: round(forward * 1e6),
      both: round(both * 1e6),
      times: round(times),
      flops: round(flops(p.both) / Math.max(1, flops(p.forward))),
    });
  }
}

function flops(p: Program): number {
  return p.cost().flops;
}

/** A row's first case whose gradient passes, enlarged as far as it can be built. */
function largest(name: string): { scale: number; p: Pair } | undefined {
  for (const each of cases[name] ?? []) {
    if (each.noGradient) continue;
    for (const scale of LARGER) {
      const enlarged = each.inputs.map((spec) => {
        const [type, dims] = spec.split(" ");
        if (dims === undefined) return spec;
        return `${type} ${dims
          .split(",")
          .map((d) => (d === "1" ? 1 : Number(d) * scale))
          .join()}`;
      });
      try {
        const made = sample({ ...each, inputs: enlarged }, "float32");
        const total = [...made.inputs, ...made.outputs].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
        if (total > MOST_ELEMENTS) continue;
        const p = pairOf(made);
        if (p && (scale === 1 || flops(p.both) < 5e8)) return { scale, p };
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
      }
    }
  }
  return undefined;
}

function sizeOf(shape: readonly (number | string)[]): number {
  return shape.reduce<number>((total, dim) => total * Number(dim), 1);
}

function pairOf({ inputs, feeds, outputs }: Sample): Pair | undefined {
  const isFloat = (x: Expression): boolean => x.dtype === "float32";
  if (!inputs.some(isFloat) || !outputs.some(isFloat)) return undefined;
  return pair(inputs, () => outputs, feeds);
}

/** The forward program, and the one that also pulls a given gradient of every float output back to every float input. */
function pair(
  inputs: readonly Expression[],
  call: (inputs: readonly Expression[]) => readonly Expression[],
  given: Readonly<Record<string, Tensor>> = {},
): Pair {
  const outputs = call(inputs);
  const named = Object.fromEntries(outputs.map((y, i) => [`y${i}`, y]));
  const floats = outputs.filter((y) => y.dtype === "float32");
  const seeds = floats.map((y, i) => input(`g${i}`, "float32", y.shape));
  const by = inputs.filter((x) => x.dtype === "float32");
  const grads = pullBack(
    floats.map((y, i) => [y, seeds[i]!]),
    by,
  );
  const both = program({
    outputs: { ...named, ...Object.fromEntries(grads.map((g, i) => [`d${i}`, g])) },
  });
  const waves = Object.fromEntries(
    both.inputs.flatMap(({ name, type: { shape }, initial }) =>
      initial ? [] : [[name, given[name] ?? wave(shape as readonly number[])]],
    ),
  );
  return { forward: program({ outputs: named }), both, feeds: waves };
}

function wave(shape: readonly number[]): Tensor {
  return toTensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.3)),
    { shape },
  );
}

async function measured(
  engine: Engine,
  { forward, both, feeds }: Pair,
  steps: number,
  rounds: number,
): Promise<{ forward: number; both: number; times: number }> {
  const made = [await runs(engine, forward, feeds), await runs(engine, both, feeds)] as const;
  const standings = await contest({ forward: made[0].contender, both: made[1].contender }, { rounds, steps });
  await Promise.all(made.map(({ release }) => release()));
  return {
    forward: standings.forward!.best,
    both: standings.both!.best,
    times: standings.both!.best / standings.forward!.best,
  };
}

async function runs(
  engine: Engine,
  p: Program,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<{ contender: Contender; release: () => Promise<void> }> {
  const session = await loadProgram(engine, p);
  const own = Object.fromEntries(
    Object.entries(feeds).filter(([name]) => p.inputs.some((port) => port.name === name)),
  );
  return {
    contender: async (steps) => {
      const start = performance.now();
      for (let i = 0; i < steps; i++) await session.run(own);
      return (performance.now() - start) / 1000 / steps;
    },
    release: () => session.release(),
  };
}
