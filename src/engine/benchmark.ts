// What a slot can do in a second: a few programs, run as any other is, in under two seconds. Made of the graph's own operators and weighed by its own costs.
import { input, program, type Program } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";
import type { EngineFigures, ProgramResult, ProgramSource } from "./slot.js";

/** Runs a program, as EngineSlots do. */
export type Run = (source: ProgramSource, inputs: readonly Tensor[]) => Promise<ProgramResult>;

/** Milliseconds that one figure may take, and runs that are enough, or needed even on a slow device. */
const BUDGET_MS = 350;
const ENOUGH = 60;
const FEWEST = 3;
const CALLS_MS = 150;
const CALLS = 400;
/** Part of the runs that only warm up. */
const WARM = 1 / 4;

/** Inputs are a row and a column of numbers, which the program itself makes large: so little travels. */
const ROW = 1024;

export async function benchmark(run: Run): Promise<EngineFigures> {
  const [flops, memory, convolution] = [matmul(), elementwise(), conv()];
  return {
    flops: flops.cost().flops / (await secondsOf(run, flops)),
    memory: memory.cost().bytes / (await secondsOf(run, memory)),
    convolution: convolution.cost().flops / (await secondsOf(run, convolution)),
    callMs: await callMs(run),
  };
}

/** Two products of 384 x 384. */
function matmul(): Program {
  const side = 384;
  const a = input("column", "float32", [side, 1]).add(input("row", "float32", [1, side]));
  return program({ outputs: { y: a.matmul(a).matmul(a).max() } });
}

/** 4 MiB, read and written ten times. */
function elementwise(): Program {
  let x = input("column", "float32", [ROW, 1]).add(input("row", "float32", [1, ROW]));
  const scale = input("scale", "float32", [1]);
  for (let i = 0; i < 5; i++) x = x.mul(scale).abs();
  return program({ outputs: { y: x.max() } });
}

/** 32 channels of 56 x 56, three by three: the middle of a small network for images. */
function conv(): Program {
  const [channels, side] = [32, 56];
  const image = input("column", "float32", [1, channels, side, 1]).add(
    input("row", "float32", [1, 1, 1, side]),
  );
  const weight = input("left", "float32", [channels, channels, 3, 1]).add(
    input("right", "float32", [1, 1, 1, 3]),
  );
  return program({ outputs: { y: image.conv(weight, { padding: 1 }).max() } });
}

/** Seconds that one run takes in the engine: the median, once it is warm. */
async function secondsOf(run: Run, of: Program): Promise<number> {
  const source = sourceOf(of);
  const inputs = inputsOf(of);
  const times: number[] = [];
  const until = performance.now() + BUDGET_MS;
  while (times.length < FEWEST || (times.length < ENOUGH && performance.now() < until))
    times.push((await run(source, inputs)).ms);
  return median(times.slice(Math.floor(times.length * WARM))) / 1000;
}

/** Milliseconds from asking for the smallest program to having its answer. */
async function callMs(run: Run): Promise<number> {
  const tiny = program({ outputs: { y: input("x", "float32", [4]).add(1) } });
  const source = sourceOf(tiny);
  const inputs = inputsOf(tiny);
  const times: number[] = [];
  const until = performance.now() + CALLS_MS;
  while (times.length < FEWEST || (times.length < CALLS && performance.now() < until)) {
    const started = performance.now();
    await run(source, inputs);
    times.push(performance.now() - started);
  }
  return median(times.slice(Math.floor(times.length * WARM)));
}

function sourceOf({ hash, model }: Program): ProgramSource {
  return { hash, model: () => Promise.resolve(model) };
}

/** Numbers between 0 and 1: neither denormal nor growing without end. */
function inputsOf({ inputs }: Program): Tensor[] {
  return inputs.map(({ type }) => {
    const shape = type.shape as readonly number[];
    const size = shape.reduce((a, b) => a * b, 1);
    return new Tensor(
      "float32",
      shape,
      Float32Array.from({ length: size }, (_, i) => ((i * 7) % 13) / 1e3),
    );
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
