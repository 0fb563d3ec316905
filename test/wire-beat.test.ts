// The heartbeat thread of dist/: a node process that blocks its loop is still heard, and one that ends is not.
import { spawn, type ChildProcess } from "node:child_process";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { decodeFrame, encodeFrame } from "../src/wire/frame.js";

const WIRE = new URL("../dist/wire/", import.meta.url).href;

interface Heard {
  readonly port: number;
  /** Times at which each role was heard, by the role in its hello. */
  readonly times: Map<string, number[]>;
  /** Roles whose connections have closed. */
  readonly closed: string[];
}

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(): Promise<Heard> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const times = new Map<string, number[]>();
  const closed: string[] = [];
  server.on("connection", (ws) => {
    let role = "";
    ws.send(encodeFrame([{ t: "challenge", version: 1, software: "test", nonce: "5a".repeat(16) }]));
    // Both connections stay up as long as the hub beats.
    const beats = setInterval(() => ws.send(encodeFrame([{ t: "beat" }])), 500);
    ws.on("close", () => {
      clearInterval(beats);
      closed.push(role);
    });
    ws.on("message", (data) => {
      for (const message of decodeFrame(data as Buffer) as { t: string; role: string }[]) {
        if (message.t === "hello") {
          role = message.role;
          ws.send(
            encodeFrame([{ t: "welcome", version: 1, software: "test", hub: "hub", nextSeq: 0, missed: 0 }]),
          );
        }
        times.set(role, [...(times.get(role) ?? []), performance.now()]);
      }
    });
  });
  await new Promise((done) => server.once("listening", done));
  cleanups.push(async () => {
    for (const ws of server.clients) ws.terminate();
    await new Promise((done) => server.close(done));
  });
  return { port: (server.address() as AddressInfo).port, times, closed };
}

/** A process with a node link and a heartbeat thread, which then runs `body`. */
function startNode(port: number, body: string): ChildProcess {
  const program = `
    import { Link } from "${WIRE}link.js";
    import { dial } from "${WIRE}socket.node.js";
    import { startBeat } from "${WIRE}beat.node.js";
    const url = "ws://127.0.0.1:${port}";
    const hello = { t: "hello", version: 1, software: "test", kind: "computing", id: "n.00.00.00.01",
      session: "n.00.00.00.01", instance: "1", domain: "166" };
    const quiet = () => {};
    const link = new Link({ url, dial, hello: () => ({ ...hello, role: "node" }), onUp: quiet, onDown: quiet, onMessage: quiet });
    await link.connect();
    const beat = startBeat({ url, hello: { ...hello, role: "beat" } });
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "inherit" });
  cleanups.push(() => void child.kill("SIGKILL"));
  return child;
}

async function until(condition: () => boolean, what: string, limitMs = 15_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}

it("keeps beating while the main thread is blocked for 5 s", async () => {
  const hub = await listen();
  startNode(
    hub.port,
    `setTimeout(() => { const end = Date.now() + 5000; while (Date.now() < end) Math.sqrt(end); }, 1500);
     setInterval(() => {}, 1000);`,
  );
  const of = (role: string) => hub.times.get(role) ?? [];
  const gaps = (list: number[]) => list.slice(1).map((time, i) => time - list[i]!);
  await until(() => Math.max(0, ...gaps(of("node"))) > 4500, "the pause of the node's own link");
  const nodeTimes = of("node");
  const pauseEnd = nodeTimes.findIndex((time, i) => i > 0 && time - nodeTimes[i - 1]! > 4500);
  const [from, to] = [nodeTimes[pauseEnd - 1]!, nodeTimes[pauseEnd]!];
  const during = of("beat").filter((time) => time > from && time < to);
  expect(during.length).toBeGreaterThanOrEqual(3);
  expect(Math.max(...gaps([from, ...during, to]))).toBeLessThan(3000);
});

it("does not keep the process alive, and dies with it", async () => {
  const hub = await listen();
  const child = startNode(
    hub.port,
    `const { setTimeout: sleep } = await import("node:timers/promises");
     await sleep(1500); await link.close();`,
  );
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  await until(() => (hub.times.get("beat")?.length ?? 0) >= 1, "the thread's hello");
  expect(await exited).toBe(0);
  await until(() => hub.closed.includes("beat"), "the end of the thread's connection");
});

it("stops on close() while the process goes on", async () => {
  const hub = await listen();
  const child = startNode(hub.port, `process.once("SIGUSR2", () => beat.close());`);
  await until(() => (hub.times.get("beat")?.length ?? 0) >= 2, "a beat of the thread");
  child.kill("SIGUSR2");
  await until(() => hub.closed.includes("beat"), "the end of the thread's connection");
  expect(hub.closed).toEqual(["beat"]);
  expect(child.exitCode).toBeNull();
});
