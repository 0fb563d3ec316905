// A fuzz run against a hub in a process of its own: frames over real sockets, as clients, as nodes and as nobody, while one
// legitimate client and its node go on. It ends early when the hub dies, when its memory grows past a bound, or when the
// client is not served.
import { readFileSync } from "node:fs";
import type { ChildProcess } from "node:child_process";
import { WebSocket } from "ws";
import { MainNode } from "../../dist/flock/index.node.js";
import { encodeFrame } from "../../dist/wire/index.js";
import { fuzzFrame, realMessages, seeded } from "./mutate.js";

/** How much more memory than after warming up the hub may have at the end of a run, in bytes. */
export const MAX_GROWTH_BYTES = 100 * 2 ** 20;
/** How long one job of the legitimate client may take. */
export const MAX_SERVICE_MS = 10_000;
const CONNECTIONS = 8;
/** Frames on one connection before it is given up for another, at most. */
const FRAMES_PER_CONNECTION = 2000;
/** Frames that go out between two looks at whether the socket takes more. */
const BURST = 50;
const PAUSE_BYTES = 2 ** 20;

export interface FuzzOptions {
  readonly hub: string;
  readonly process: ChildProcess;
  readonly frames: number;
  readonly seed: number;
  /** Frames between two reports. */
  readonly every: number;
  report(line: string): void;
}

export interface FuzzOutcome {
  /** Absent: all is well. */
  readonly failure?: string;
  readonly served: number;
  readonly connections: number;
  readonly growthBytes: number;
}

export async function fuzz(options: FuzzOptions): Promise<FuzzOutcome> {
  const { hub, process: child, frames, seed, every, report } = options;
  const random = seeded(seed);
  const resident = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024;
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  let failure: string | undefined;
  let sent = 0;
  let connections = 0;
  let reported = 0;
  child.once("exit", (code, signal) => (failure ??= `the hub ended (${code ?? signal})`));

  const main = await MainNode.join({ hub, name: "legitimate" });
  const times: number[] = [];
  let served = 0;
  const serve = async () => {
    const start = performance.now();
    const solution = await Promise.race([main.request("quiet", `job ${served}`), late()]);
    if (solution.text() !== `JOB ${served}`) throw new Error(`a wrong answer: ${solution.text()}`);
    served++;
    times.push(performance.now() - start);
  };
  const client = async () => {
    while (sent < frames && failure === undefined) {
      await serve().catch((error: unknown) => (failure ??= `the client was not served: ${String(error)}`));
      await new Promise((next) => setTimeout(next, 5));
    }
  };
  const tell = () => {
    const sorted = times.splice(0).toSorted((a, b) => a - b);
    const at = (q: number) => (sorted[Math.floor(q * sorted.length)] ?? NaN).toFixed(1);
    report(
      `${sent} frames, ${connections} connections: hub ${megabytes(resident())}, client p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${sorted.length} jobs`,
    );
  };

  const fuzzer = async () => {
    while (sent < frames && failure === undefined) {
      connections++;
      const socket = await open(hub, random);
      const messages = realMessages(random);
      for (let i = 0; i < FRAMES_PER_CONNECTION && sent < frames && failure === undefined; i++) {
        if (socket.readyState !== WebSocket.OPEN) break;
        socket.send(fuzzFrame(messages, random));
        sent++;
        if (i % BURST === BURST - 1) await drained(socket);
        if (sent - reported >= every) {
          reported = sent;
          tell();
        }
      }
      socket.terminate();
    }
  };

  for (let i = 0; i < 20; i++) await serve();
  report(`seed ${seed}: hub ${megabytes(resident())} at the start`);
  // What the hub's compilers and heaps take on their first tenth of the way is no leak; nor is it unbounded.
  let settled = resident();
  const warm = (async () => {
    while (sent < frames / 10 && failure === undefined) await new Promise((next) => setTimeout(next, 20));
    if (failure === undefined) settled = resident();
  })();
  await Promise.all([client(), warm, ...Array.from({ length: CONNECTIONS }, fuzzer)]);
  if (failure === undefined)
    await serve().catch((error: unknown) => (failure ??= `not served after the run: ${String(error)}`));
  if (child.exitCode === null && child.signalCode === null) tell();
  const growthBytes = failure?.startsWith("the hub ended") ? 0 : resident() - settled;
  if (failure === undefined && growthBytes > MAX_GROWTH_BYTES)
    failure = `the hub grew by ${megabytes(growthBytes)}, more than ${megabytes(MAX_GROWTH_BYTES)}`;
  await main.close().catch(() => undefined);
  return { ...(failure !== undefined && { failure }), served, connections, growthBytes };
}

/** Rejects when a job takes too long. */
function late(): Promise<never> {
  return new Promise((_, reject) =>
    setTimeout(() => reject(new Error(`no answer within ${MAX_SERVICE_MS} ms`)), MAX_SERVICE_MS).unref(),
  );
}

/** A connection that has said hello as a client or a node (some of the same names), or a hello that was changed, or nothing. */
async function open(hub: string, random: () => number): Promise<WebSocket> {
  const socket = new WebSocket(hub, { perMessageDeflate: false });
  socket.on("error", () => undefined);
  socket.on("message", () => undefined);
  await new Promise<void>((resolve) => socket.once("open", resolve).once("close", resolve));
  const client = random() < 0.5;
  const name = `fuzz.00.00.00.${Math.floor(random() * 256)
    .toString(16)
    .padStart(2, "0")}`;
  const hello = {
    t: "hello",
    version: 1,
    software: "fuzz",
    role: client ? "client" : "node",
    kind: client ? "main" : "computing",
    id: name,
    session: client && random() < 0.5 ? `session ${Math.floor(random() * 50)}` : name,
    instance: String(random()),
    domain: random() < 0.8 ? "fuzz" : "166",
    durable: random() < 0.5,
    ...(!client && {
      node: {
        slots: 1,
        window: 4,
        services: ["fuzzed"],
        idempotent: [],
        tasks: new Float64Array(),
        attempts: new Uint16Array(),
      },
    }),
  };
  if (socket.readyState === WebSocket.OPEN)
    socket.send(random() < 0.8 ? encodeFrame([hello]) : fuzzFrame([hello], random));
  return socket;
}

/** Resolves when the socket has little left to send, or is gone. */
async function drained(socket: WebSocket): Promise<void> {
  do await new Promise((next) => setImmediate(next));
  while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > PAUSE_BYTES);
}
