// The systems that ours is run beside: what each needs, how to install that, and how its no-op jobs are run.
import { execFileSync, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { startRedis } from "./redis.js";

/** What a script of a peer prints. */
export interface Measured {
  readonly jobs: number;
  readonly solved: number;
  readonly seconds: number;
  /** Milliseconds of each job awaited alone. */
  readonly trips: readonly number[];
}

export interface Peer {
  readonly name: string;
  /** How many times its jobs per second ours is to reach. */
  readonly reach: number;
  readonly jobs: number;
  readonly rounds: number;
  /** Commands that install what it needs. */
  readonly install: string;
  installed(): boolean;
  measure(jobs: number, rounds: number): Promise<Measured>;
}

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** Far beyond what the slowest needs. */
const LIMIT_MS = 300_000;

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
}

/** A Python that has the module: packages of the system belong to its own, which need not be the first on the PATH. */
function pythonWith(module: string): string | undefined {
  const named = process.env["FLOCKWORK_BENCH_PYTHON"];
  const candidates = named === undefined ? ["python3", "/usr/bin/python3"] : [named];
  return candidates.find((python) => runs(python, "-c", `import ${module}`));
}

function hasRedis(): boolean {
  return runs("redis-server", "--version");
}

/** The last line that a script prints, as an object. */
function outcome(command: string, ...args: string[]): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], timeout: LIMIT_MS });
    const kill = () => void child.kill();
    process.once("exit", kill);
    let out = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("exit", kill);
      const last = out.trimEnd().split("\n").at(-1);
      if (code === 0 && last) resolve(JSON.parse(last) as Measured);
      else reject(new Error(`${command} ${args[0]} ended with ${code}`));
    });
  });
}

async function withRedis(measure: (url: string) => Promise<Measured>): Promise<Measured> {
  const redis = await startRedis();
  try {
    return await measure(redis.url);
  } finally {
    redis.stop();
  }
}

function bullmq(concurrency: number): Peer {
  return {
    name: `BullMQ, concurrency ${concurrency}`,
    reach: 10,
    jobs: 10_000,
    rounds: 300,
    install:
      "apt-get install redis-server; npm install --no-save --no-package-lock --prefix bench/peers bullmq ioredis",
    installed() {
      try {
        createRequire(path("./bullmq-jobs.mjs")).resolve("bullmq");
      } catch {
        return false;
      }
      return hasRedis();
    },
    measure: (jobs, rounds) =>
      withRedis((url) =>
        outcome(process.execPath, path("./bullmq-jobs.mjs"), `${jobs}`, `${rounds}`, url, `${concurrency}`),
      ),
  };
}

export const PEERS: readonly Peer[] = [
  {
    name: "Dask",
    reach: 50,
    jobs: 10_000,
    rounds: 300,
    install: "apt-get install python3-distributed",
    installed: () => pythonWith("distributed") !== undefined,
    measure: (jobs, rounds) =>
      outcome(pythonWith("distributed")!, path("./dask_jobs.py"), `${jobs}`, `${rounds}`),
  },
  {
    name: "Celery",
    reach: 50,
    jobs: 4_000,
    rounds: 300,
    install: "apt-get install python3-celery python3-redis redis-server",
    installed: () => hasRedis() && pythonWith("celery, redis") !== undefined,
    measure: (jobs, rounds) =>
      withRedis((url) =>
        outcome(pythonWith("celery, redis")!, path("./celery_jobs.py"), `${jobs}`, `${rounds}`, url),
      ),
  },
  bullmq(1),
  // As ours and the others do, it takes jobs ahead then.
  bullmq(100),
];
