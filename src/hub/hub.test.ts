// A whole hub on a free port: its HTTP side, its limits, its log. Clients are links that speak the protocol.
import { connect } from "node:net";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { FlockworkError } from "../ids/index.js";
import { Link, packPayloads, PROTOCOL_VERSION, type Message, type MessageOf } from "../wire/index.js";
import { dial } from "../wire/socket.node.js";
import { startHub } from "./hub.js";
import type { HubOptions } from "./options.js";
import type { Hub } from "./running-hub.js";
import { hubLogger } from "./log.js";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function hub(options: HubOptions = {}): Promise<Hub> {
  const started = await startHub({ port: 0, log: { level: "silent" }, ...options });
  ends.push(() => started.close());
  return started;
}

/** A client that keeps what it is told. */
async function client(url: string, hello: Partial<MessageOf<"hello">> = {}) {
  const heard: Message[] = [];
  let wake = () => {};
  const hear = (message: Message) => {
    heard.push(message);
    wake();
  };
  const link = new Link<"client">({
    url,
    dial,
    hello: () => ({
      t: "hello",
      version: PROTOCOL_VERSION,
      software: "test",
      role: "client",
      kind: "main",
      id: "main.00.00.00.01",
      session: "nightly",
      instance: "1",
      domain: "166",
      durable: true,
      ...hello,
    }),
    onUp: () => undefined,
    onDown: () => undefined,
    onMessage: hear,
    onNotice: hear,
  });
  ends.push(() => link.close());
  await link.connect();
  /** The next message of a type. */
  const next = async <N extends Message["t"]>(t: N): Promise<MessageOf<N>> => {
    for (;;) {
      const at = heard.findIndex((message) => message.t === t);
      if (at >= 0) return heard.splice(at, 1)[0] as MessageOf<N>;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const submit = (seq: number, payloads: number, bytes = 10) =>
    link.send({
      t: "submit",
      seq,
      service: "upper",
      ...packPayloads(Array.from({ length: payloads }, () => ({ kind: 0, bytes: new Uint8Array(bytes) }))),
    });
  return { link, next, submit };
}

const at = (url: string, path: string) => url.replace(/^ws/, "http") + path;

/** Sends bytes as they are and returns the status line. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString().split("\r\n")[0]!);
    });
    socket.once("error", reject);
    socket.once("close", () => resolve("closed"));
  });
}

describe("http", () => {
  it("says that it is well, and who its nodes and jobs are", async () => {
    const { url } = await hub();
    const healthz = await fetch(at(url, "/healthz"));
    expect(healthz.status).toBe(200);
    expect(await healthz.json()).toMatchObject({ status: "ok" });
    expect(await (await fetch(at(url, "/api/nodes"))).json()).toEqual([]);
    const { submit, next } = await client(url);
    submit(0, 3);
    await next("accepted");
    const jobs = await (await fetch(at(url, "/api/jobs?x=1"))).json();
    expect(jobs).toMatchObject({
      waiting: 3,
      running: 0,
      submitted: 3,
      sessions: [{ name: "nightly", domain: "166", client: "main.00.00.00.01", unacknowledged: 3 }],
    });
  });

  it("names what there is where nothing is, and outlives any request", async () => {
    const { url, port } = await hub();
    const missing = await fetch(at(url, "/nothing"));
    expect(missing.status).toBe(404);
    expect(((await missing.json()) as { error: string }).error).toContain("/api/jobs");
    expect((await fetch(at(url, "/healthz"), { method: "POST" })).status).toBe(405);
    for (const target of ["//", "//[", "/%ff", "http://[/", "/__proto__", "*"])
      expect(await raw(port, `GET ${target} HTTP/1.1\r\nHost: hub\r\n\r\n`)).toMatch(/ 40\d /);
    expect(await raw(port, "not http at all\r\n\r\n")).toMatch(/ 400 |closed/);
    expect((await fetch(at(url, "/healthz"))).status).toBe(200);
  });

  it("shows its counts in the format of Prometheus", async () => {
    const { url } = await hub();
    const { submit, next } = await client(url);
    submit(0, 2);
    await next("accepted");
    const response = await fetch(at(url, "/metrics"));
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).trimEnd().split("\n");
    const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\]|\\\\.)*"';
    const sample = new RegExp(
      `^[a-zA-Z_:][a-zA-Z0-9_:]*(\\{${label}(,${label})*\\})? (-?[0-9.e+-]+|[Nn]a[Nn]|[+-]Inf)$`,
    );
    for (const line of lines)
      if (line !== "") expect(line).toMatch(line.startsWith("#") ? /^# (HELP|TYPE) / : sample);
    const value = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
    expect(value("flockwork_submitted_total")).toBe(2);
    expect(value("flockwork_jobs_waiting")).toBe(2);
    expect(value("flockwork_storage_ok")).toBe(1);
    expect(lines.filter((line) => line.startsWith("# TYPE flockwork_")).length).toBeGreaterThan(15);
  });
});

describe("limits", () => {
  it("refuses jobs past the number a session may have, by name, and takes them when there is room", async () => {
    const { url } = await hub({ limits: { jobsPerSession: 5 } });
    const a = await client(url);
    a.submit(0, 5);
    await a.next("accepted");
    a.submit(5, 1);
    const refused = await a.next("refused");
    expect(refused).toMatchObject({ code: "limit", runs: Float64Array.of(5, 1) });
    expect(refused.message).toMatch(/nightly has 5 jobs; the limit is 5/);
    // Another session notices nothing.
    const b = await client(url, { session: "daily", instance: "2" });
    b.submit(0, 5);
    await b.next("accepted");
    a.link.send({ t: "cancel", runs: Float64Array.of(0, 1) });
    await a.next("unsolved");
    a.link.send({ t: "ack", runs: Float64Array.of(0, 1) });
    a.submit(6, 1);
    expect((await a.next("accepted")).runs).toEqual(Float64Array.of(6, 1));
  });

  it("counts the bytes of a session without drifting", async () => {
    const { url } = await hub({ limits: { bytesPerSession: 100 } });
    const { submit, next, link } = await client(url);
    for (let seq = 0; seq < 50; seq++) {
      submit(seq, 1, 99);
      await next("accepted");
      link.send({ t: "cancel", runs: Float64Array.of(seq, 1) });
      await next("unsolved");
      link.send({ t: "ack", runs: Float64Array.of(seq, 1) });
    }
    submit(50, 2, 51);
    expect((await next("refused")).message).toMatch(/0 bytes of jobs and results; the limit is 100/);
  });

  it("answers a message that does not fit, and the connection lives on", async () => {
    const { url } = await hub();
    const { submit, next, link } = await client(url);
    link.send({ t: "submit", seq: 0, service: "", ...packPayloads([]) });
    expect(await next("notice")).toMatchObject({ code: "bad_message", fatal: false });
    submit(0, 1);
    await next("accepted");
  });

  it("has one main node a session", async () => {
    const { url } = await hub();
    await client(url);
    await expect(client(url, { instance: "2", id: "main.00.00.00.02" })).rejects.toThrow(
      /"nightly" is in use by the main node main\.00\.00\.00\.01/,
    );
  });
});

describe("starting", () => {
  it("says in one line that the port is in use", async () => {
    const { port } = await hub();
    const second = startHub({ port, log: { level: "silent" } });
    await expect(second).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
    await expect(second).rejects.toBeInstanceOf(FlockworkError);
  });

  it("sends the same jobs again without taking them twice", async () => {
    const { url } = await hub();
    const { submit, next } = await client(url);
    submit(0, 4);
    await next("accepted");
    submit(0, 6);
    const runs = [(await next("accepted")).runs, (await next("accepted")).runs];
    expect(runs.map((run) => [...run]).sort()).toEqual([
      [0, 4],
      [4, 2],
    ]);
    const jobs = (await (await fetch(at(url, "/api/jobs"))).json()) as { submitted: number };
    expect(jobs.submitted).toBe(6);
  });
});

describe("log", () => {
  const lines: string[] = [];
  function logger(options: Parameters<typeof hubLogger>[0]) {
    lines.length = 0;
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (line: string | Uint8Array) => {
      lines.push(String(line));
      return true;
    };
    ends.push(async () => {
      process.stderr.write = write;
    });
    return hubLogger(options);
  }

  it("writes by level and filter", () => {
    const log = logger({ level: "warn", filter: /worker\.0a/ });
    log.info({ node: "worker.0a" }, "node joined");
    log.warn({ node: "worker.0b" }, "node is unreachable");
    log.warn({ node: "worker.0a" }, "node is unreachable");
    expect(lines.map((line) => (JSON.parse(line) as { node: string }).node)).toEqual(["worker.0a"]);
  });

  it("reads well on a terminal", () => {
    logger({ pretty: true }).info({ url: "ws://127.0.0.1:9999", nodes: 2 }, "hub is up");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d INFO {2}hub is up {2}url=ws:\/\/127\.0\.0\.1:9999 {2}nodes=2\n$/,
    );
  });

  it("takes a logger as it is", () => {
    const own = pino({ level: "silent" });
    expect(hubLogger(own)).toBe(own);
  });
});
