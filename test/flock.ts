// Real hubs, computing nodes and main nodes for system tests: started from dist/, watched line by line, ended with the test.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { MainNode, type JoinOptions, type MainNodeOptions } from "../dist/flock/index.node.js";
import { openRoad, type Road } from "./road.js";

const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const WORKER = fileURLToPath(new URL("./worker.mjs", import.meta.url));

/** Where vitest's `onTestFinished` goes; the one of the test's context, so that concurrent tests keep theirs apart. */
export type OnFinished = (end: () => Promise<void>) => void;

export interface HubOptions {
  readonly port?: number;
  /** Absent: a folder of the flock's, the same for every hub of it. */
  readonly data?: string;
  readonly ephemeral?: boolean;
  readonly args?: readonly string[];
  /** The command of another installation. */
  readonly cli?: string;
}

export interface WorkerOptions {
  readonly name?: string;
  readonly slots?: number;
  readonly domain?: string;
  /** Names of services in test/services.mjs, "mine=slow" to offer one as another. Default: all of them. */
  readonly services?: readonly string[];
}

/** What /api/nodes and /api/jobs say, as far as tests look. */
export interface NodeRow {
  readonly id: string;
  readonly state: string;
  readonly slots: number;
  readonly running: number;
  readonly solved: number;
  readonly failed: number;
}
export interface JobCounts {
  readonly waiting: number;
  readonly running: number;
  readonly submitted: number;
  readonly solved: number;
  readonly unsolved: number;
  readonly acknowledged: number;
  readonly superseded: number;
  readonly sessions: readonly { readonly name: string; readonly unacknowledged: number }[];
}

/** The processes of one test. Everything ends, and the folder goes, when the test does. */
export class Flock {
  /** A folder of this test's own. */
  readonly folder = mkdtempSync(join(tmpdir(), "flock-"));
  readonly #ends: (() => Promise<void> | void)[] = [];

  constructor(onFinished: OnFinished) {
    onFinished(async () => {
      for (const end of this.#ends.reverse()) await end();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Something that must end with the test; the last one first. */
  atEnd(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  /** `flockwork up`, ready for connections. */
  async hub(options: HubOptions = {}): Promise<HubProcess> {
    const place = options.ephemeral ? ["--ephemeral"] : ["--data", options.data ?? join(this.folder, "data")];
    const port = ["--port", String(options.port ?? (await freePort()))];
    const cli = options.cli ?? CLI;
    const program = this.script(
      cli,
      "up",
      ...port,
      ...place,
      "--log-format",
      "json",
      ...(options.args ?? []),
    );
    const line = await program.said(/listens on/);
    return new HubProcess(program, /ws:\/\/\S+/.exec(line)![0]);
  }

  /** A computing node of test/services.mjs that has joined. */
  async worker(hub: string, options: WorkerOptions = {}): Promise<WorkerProcess> {
    const worker = this.waitingWorker(hub, options);
    await worker.joined();
    return worker;
  }

  /** A computing node that may still wait for its hub. */
  waitingWorker(hub: string, options: WorkerOptions = {}): WorkerProcess {
    return new WorkerProcess(this.#run([WORKER, JSON.stringify({ ...options, hub })], {}));
  }

  /** A main node inside the test's process. */
  async main(hub: string, options: JoinOptions<MainNodeOptions> = {}): Promise<MainNode> {
    const main = await MainNode.join({ ...options, hub });
    this.atEnd(() => main.close());
    return main;
  }

  /** A command of `flockwork`, with an environment in which nothing of the user's is found. */
  command(...args: string[]): Program {
    return this.#run([CLI, ...args], {});
  }

  /** A command with further environment variables. */
  commandIn(env: Readonly<Record<string, string>>, ...args: string[]): Program {
    return this.#run([CLI, ...args], env);
  }

  /** Any script of test/, by path. */
  script(path: string, ...args: string[]): Program {
    return this.#run([path, ...args], {});
  }

  /** A TCP road to a hub that can be cut and mended, and that sees what passes. */
  async road(hub: string): Promise<Road> {
    const road = await openRoad(hub);
    this.atEnd(() => road.close());
    return road;
  }

  #run(args: readonly string[], env: Readonly<Record<string, string>>): Program {
    const inherited = { ...process.env };
    delete inherited["FLOCKWORK_HUB"];
    const data = join(this.folder, "user-data");
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      env: { ...inherited, NO_COLOR: "1", FLOCKWORK_DATA: data, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const program = new Program(child);
    this.atEnd(() => program.kill());
    return program;
  }
}

/** A child process and the lines it printed. */
export class Program {
  readonly out: string[] = [];
  readonly err: string[] = [];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  #over = false;
  #watchers: (() => void)[] = [];

  constructor(readonly child: ChildProcess) {
    const keep = (lines: string[]) => (line: string) => {
      lines.push(line);
      this.#wake();
    };
    createInterface({ input: child.stdout! }).on("line", keep(this.out));
    createInterface({ input: child.stderr! }).on("line", keep(this.err));
    // `close` comes after the last line, `exit` may come before it.
    this.ended = new Promise((resolve) =>
      child.once("close", (code, signal) => {
        this.#over = true;
        this.#wake();
        resolve(code ?? signal ?? -1);
      }),
    );
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** A line of stdout that matches, printed already or within the limit. */
  async said(pattern: RegExp, limitMs = 60_000): Promise<string> {
    await this.#lines(this.out, pattern, 1, limitMs);
    return this.out.find((line) => pattern.test(line))!;
  }

  /** The same of stderr. */
  async warned(pattern: RegExp, limitMs = 60_000): Promise<string> {
    await this.#lines(this.err, pattern, 1, limitMs);
    return this.err.find((line) => pattern.test(line))!;
  }

  /** Waits for `count` lines of stdout that match; returns all that do. */
  async saidTimes(pattern: RegExp, count: number, limitMs = 60_000): Promise<string[]> {
    await this.#lines(this.out, pattern, count, limitMs);
    return this.out.filter((line) => pattern.test(line));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.#over) this.child.kill("SIGKILL");
    await this.ended;
  }

  async #lines(lines: readonly string[], pattern: RegExp, count: number, limitMs: number): Promise<void> {
    const enough = () => lines.filter((line) => pattern.test(line)).length >= count;
    const told = () => [...this.out.slice(-20), ...this.err.slice(-20)].join("\n");
    const end = performance.now() + limitMs;
    while (!enough()) {
      if (this.#over) throw new Error(`the process ended without saying ${pattern}:\n${told()}`);
      const left = end - performance.now();
      if (left <= 0) throw new Error(`waited ${limitMs} ms in vain for ${count} x ${pattern}:\n${told()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}

export class HubProcess {
  constructor(
    readonly program: Program,
    readonly url: string,
  ) {}

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get<T>(path: string): Promise<T> {
    return getJson<T>(this.url.replace(/^ws/, "http") + path);
  }

  jobs(): Promise<JobCounts> {
    return this.get<JobCounts>("/api/jobs");
  }

  nodes(): Promise<NodeRow[]> {
    return this.get<NodeRow[]>("/api/nodes");
  }

  /** One line of its log, as an object. */
  async logged(message: RegExp, limitMs?: number): Promise<Record<string, unknown>> {
    return JSON.parse(await this.program.warned(message, limitMs)) as Record<string, unknown>;
  }
}

export class WorkerProcess {
  constructor(readonly program: Program) {}

  /** Its node id, once it has joined. */
  async joined(limitMs?: number): Promise<string> {
    return (await this.program.said(/^ready /, limitMs)).slice("ready ".length);
  }

  /** Waits until it runs this job (by its text). */
  async runs(job: string, limitMs?: number): Promise<void> {
    await this.program.said(new RegExp(`^run ${job}$`), limitMs);
  }

  /** The jobs it began, by their text, in order. */
  get began(): string[] {
    return this.program.out.filter((line) => line.startsWith("run ")).map((line) => line.slice(4));
  }

  /** What it answered. */
  get answered(): string[] {
    return this.program.out.filter((line) => line.startsWith("end ")).map((line) => line.slice(4));
  }

  /** Cuts its link as a broken network would; it redials. */
  drop(): void {
    this.program.child.stdin!.write("drop\n");
  }
}

/** Below the ports that systems give to whoever asks for any (Linux from 32768, others from 49152). */
const PORTS = { from: 20_000, count: 12_000 };
let nextPort = Math.floor(Math.random() * PORTS.count);

/** A port that nobody listens on and nobody else is given: not by the system, to another test's hub, nor by this. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS.count; tries++) {
    const port = PORTS.from + (nextPort++ % PORTS.count);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
  throw new Error(`none of ${PORTS.count} ports from ${PORTS.from} is free`);
}

/** What a hub says under an address. A connection of its own: one that waits for reuse may be closed as it is taken. */
export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(5000) });
  return (await response.json()) as T;
}

/** Waits for a condition; throws with what it was and the last value seen. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (value: T) => boolean,
  limitMs = 60_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (performance.now() > end)
      throw new Error(`waited ${limitMs} ms in vain for ${what}; last: ${JSON.stringify(value)}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}

/** A figure for whoever reads the output; nothing is judged by it here. */
export function figure(name: string, value: string): void {
  process.stderr.write(`figure: ${name}: ${value}\n`);
}
