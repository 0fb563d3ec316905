// PyTorch in a process of its own, where the system's Python has it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { toNumbers, type Tensor } from "../../src/tensor/index.js";
import { batchOf, parameters, RATE, type Model } from "./models.js";

export interface Torch {
  readonly version: string;
  run(model: Model, steps: number): Promise<{ seconds: number; loss: number }>;
  stop(): void;
}

/** The first Python that can import torch, or why there is none. */
export async function startTorch(models: readonly Model[]): Promise<Torch | string> {
  const reasons: string[] = [];
  for (const python of ["python3", "/usr/bin/python3"]) {
    const started = await start(python, models);
    if (typeof started !== "string") return started;
    reasons.push(`${python}: ${started}`);
  }
  return reasons.join("; ");
}

async function start(python: string, models: readonly Model[]): Promise<Torch | string> {
  const child = spawn(python, [fileURLToPath(new URL("peer.py", import.meta.url))], {
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" },
  });
  let complaint = "";
  child.stderr.on("data", (data: Buffer) => (complaint = data.toString().trim().split("\n").at(-1) ?? ""));
  // A process that cannot start, and one that ends, both end its lines.
  child.on("error", (error) => (complaint = error.message));
  child.stdin.on("error", () => undefined);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown> | undefined> => {
    const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
    return done ? undefined : (JSON.parse(value) as Record<string, unknown>);
  };
  const ask = async (question: string): Promise<Record<string, unknown>> => {
    child.stdin.write(`${question}\n`);
    const answer = await next();
    if (!answer) throw new Error(`PyTorch ended: ${complaint}`);
    return answer;
  };
  const hello = await next();
  if (!hello) {
    if (child.exitCode === null && child.pid !== undefined) await once(child, "close");
    return complaint || "it ended at once";
  }
  const folder = mkdtempSync(join(tmpdir(), "flockwork-bench-"));
  const file = join(folder, "models.json");
  writeFileSync(file, JSON.stringify(Object.fromEntries(models.map((model) => [model.name, spell(model)]))));
  await ask(`weights ${file}`);
  rmSync(folder, { recursive: true });
  return {
    version: String(hello.version),
    run: async ({ name }, steps) =>
      (await ask(`${name} ${steps}`)) as unknown as { seconds: number; loss: number },
    stop: () => child.stdin.end(),
  };
}

function spell(model: Model): Record<string, unknown> {
  const plain = (value: Tensor): Record<string, unknown> => ({
    dtype: value.dtype,
    shape: value.shape,
    data: [...toNumbers(value)],
  });
  const { x, y } = batchOf(model);
  return {
    parameters: Object.fromEntries(
      Object.entries(parameters(model)).map(([name, value]) => [name, plain(value)]),
    ),
    x: plain(x),
    y: plain(y),
    rate: RATE,
  };
}
