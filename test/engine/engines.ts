// Engine slots for system tests, from dist/: closed with the test. And what the system says of their processes.
import { readFileSync } from "node:fs";
import { engineSlots } from "../../src/engine/engine-slots.js";
import { processPlace } from "../../src/engine/process/process-place.node.js";
import { processSlots, type ProcessSlotsOptions } from "../../src/engine/process/process-slots.node.js";
import type { EngineSlots, ProgramSource } from "../../src/engine/slot.js";
import { input, program, type Program } from "../../src/graph/index.js";
import { Tensor } from "../../src/tensor/index.js";

/** Where vitest's `onTestFinished` goes. */
type OnFinished = (end: () => Promise<void>) => void;

export async function open(
  onFinished: OnFinished,
  options: Partial<ProcessSlotsOptions> = {},
): Promise<EngineSlots> {
  const slots = await processSlots({ slots: 1, ...options });
  onFinished(() => slots.close());
  return slots;
}

/** Whose engines are killed when they grow by so many bytes, whatever `check` thinks. */
export async function openTight(onFinished: OnFinished, growth: number): Promise<EngineSlots> {
  const start = processPlace({ threads: 1, memory: 2 ** 32, growth });
  const slots = await engineSlots(start, { slots: 1, cacheBytes: 2 ** 28 });
  onFinished(() => slots.close());
  return slots;
}

/** A program that counts how often its model is asked for. */
export class Counted implements ProgramSource {
  asked = 0;
  readonly hash: string;
  readonly #model: Uint8Array;

  constructor(from: Program | { hash: string; model: Uint8Array }) {
    this.hash = from.hash;
    this.#model = from.model;
  }

  readonly model = (): Promise<Uint8Array> => {
    this.asked++;
    return Promise.resolve(this.#model);
  };
}

/** y = x + step */
export function adds(step: number): Counted {
  return new Counted(program({ outputs: { y: input("x", "float32", [3]).add(step) } }));
}

export const ones = new Tensor("float32", [3], Float32Array.of(1, 1, 1));

/** Runs for minutes: as good as endless. */
export function endless(): Counted {
  const x = input("column", "float32", [2048, 1]).add(input("row", "float32", [1, 2048]));
  let y = x;
  for (let i = 0; i < 2000; i++) y = y.matmul(x);
  return new Counted(program({ outputs: { y: y.max() } }));
}

export const columnAndRow = [
  new Tensor("float32", [2048, 1], new Float32Array(2048)),
  new Tensor("float32", [1, 2048], new Float32Array(2048)),
];

/** Processes that this one started and that live. */
export function enginePids(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  return children
    .trim()
    .split(" ")
    .filter((pid) => pid !== "")
    .map(Number)
    .filter((pid) => alive(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("engine-process"));
}

export function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Seconds of processor time that a process has taken. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Waits until a process is seen to compute. */
export async function computes(pid: number): Promise<void> {
  const before = cpuSeconds(pid);
  await until(() => cpuSeconds(pid) > before + 0.5, `process ${pid} to compute`);
}

export async function until(holds: () => boolean, what: string, limitMs = 60_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
