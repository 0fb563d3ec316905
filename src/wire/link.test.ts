// The link against real `ws` servers on loopback; only waits (backoff, silence) are sometimes shortened by options.
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { FlockworkError } from "../ids/index.js";
import { backoffMs, DEFAULT_BACKOFF } from "./backoff.js";
import { systemClock, type Clock } from "./clock.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { Link, type LinkOptions } from "./link.js";
import { PROTOCOL_VERSION, type MessageFrom, type MessageOf } from "./messages.js";
import { dial } from "./socket.node.js";

const CHALLENGE: MessageOf<"challenge"> = {
  t: "challenge",
  version: 1,
  software: "test",
  nonce: "5a".repeat(16),
};
const WELCOME: MessageOf<"welcome"> = {
  t: "welcome",
  version: PROTOCOL_VERSION,
  software: "test",
  hub: "hub.00.00.00.00",
  nextSeq: 0,
  missed: 0,
};

const HELLO: MessageOf<"hello"> = {
  t: "hello",
  version: PROTOCOL_VERSION,
  software: "test",
  role: "client",
  kind: "main",
  id: "main.00.00.00.01",
  session: "nightly",
  instance: "1",
  domain: "166",
};

type Reply = (ws: WebSocket, message: { t: string }) => void;
const welcoming: Reply = (ws, { t }) => {
  if (t === "hello") ws.send(encodeFrame([WELCOME]));
};

/** A hub of few words: it records what it gets and answers as `reply` says. */
class FakeHub {
  readonly messages: { t: string }[] = [];
  readonly frames: { t: string }[][] = [];
  readonly sockets: WebSocket[] = [];
  readonly closes: number[] = [];
  #server!: WebSocketServer;
  port = 0;

  constructor(readonly reply: Reply) {}

  static async start(reply: Reply = welcoming, port = 0): Promise<FakeHub> {
    const hub = new FakeHub(reply);
    const server = new WebSocketServer({ host: "127.0.0.1", port, perMessageDeflate: false });
    hub.#server = server;
    server.on("connection", (ws) => {
      hub.sockets.push(ws);
      ws.send(encodeFrame([CHALLENGE]));
      ws.on("close", (code) => hub.closes.push(code));
      ws.on("message", (data) => {
        const frame = decodeFrame(data as Buffer) as { t: string }[];
        hub.frames.push(frame);
        for (const message of frame) {
          hub.messages.push(message);
          hub.reply(ws, message);
        }
      });
    });
    await new Promise<void>((done, fail) => server.once("listening", done).once("error", fail));
    hub.port = (server.address() as AddressInfo).port;
    running.push(hub);
    return hub;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  count(t: string): number {
    return this.messages.filter((m) => m.t === t).length;
  }

  async stop(): Promise<void> {
    for (const ws of this.sockets) ws.terminate();
    await new Promise((done) => this.#server.close(done));
  }
}

/** What a link told its owner. */
interface Seen {
  ups: MessageOf<"welcome">[];
  downs: string[];
  messages: MessageFrom<"hub">[];
  notices: string[];
  waiting: FlockworkError[];
  fatal: FlockworkError[];
}

const running: FakeHub[] = [];
const links: Link<"client">[] = [];
afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close()));
  await Promise.all(running.splice(0).map((hub) => hub.stop()));
});

function linkTo(url: string, options: Partial<LinkOptions> = {}): { link: Link<"client">; seen: Seen } {
  const seen: Seen = { ups: [], downs: [], messages: [], notices: [], waiting: [], fatal: [] };
  const link = new Link<"client">({
    url,
    dial,
    hello: () => HELLO,
    onUp: (welcome) => seen.ups.push(welcome),
    onDown: (reason) => seen.downs.push(reason),
    onMessage: (message) => seen.messages.push(message),
    onNotice: (notice) => seen.notices.push(`${notice.code}: ${notice.message}`),
    onWaiting: (error) => seen.waiting.push(error),
    onFatal: (error) => seen.fatal.push(error),
    ...options,
  });
  links.push(link);
  return { link, seen };
}

async function until(condition: () => boolean, what: string, limitMs = 8000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((next) => setTimeout(next, 5));
  }
}

it("backoffMs is within [0, min(max, first * 2^retry))", () => {
  fc.assert(
    fc.property(
      fc.nat(2000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (retry, random) => {
        const ms = backoffMs(DEFAULT_BACKOFF, retry, () => random);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThan(Math.min(2000, 50 * 2 ** retry));
      },
    ),
  );
});

describe("Link", () => {
  it("is up after hello and welcome, carries messages both ways, a tick's messages in one frame", async () => {
    const hub = await FakeHub.start();
    const { link, seen } = linkTo(hub.url);
    expect(link.send({ t: "resume" })).toBe(false);
    expect(await link.connect()).toEqual(WELCOME);
    expect(link.up).toBe(true);
    expect(link.send({ t: "cancel", runs: Float64Array.of(0, 2) })).toBe(true);
    expect(link.send({ t: "resume" })).toBe(true);
    await until(() => hub.count("resume") === 1, "resume at the hub");
    expect(hub.frames.map((frame) => frame.map((m) => m.t))).toEqual([["hello"], ["cancel", "resume"]]);
    hub.sockets[0]!.send(
      encodeFrame([{ t: "beat" }, { t: "accepted", runs: Float64Array.of(5, 1), extra: "is dropped" }]),
    );
    await until(() => seen.messages.length === 1, "accepted at the client");
    expect(seen.messages).toEqual([{ t: "accepted", runs: Float64Array.of(5, 1) }]);
    expect(seen.notices).toEqual([]);
  });

  it("says goodbye and closes politely, once", async () => {
    const hub = await FakeHub.start();
    const { link, seen } = linkTo(hub.url);
    await link.connect();
    link.send({ t: "resume" });
    const closing = link.close();
    expect(link.close()).toBe(closing);
    await closing;
    await until(() => hub.closes.length === 1, "the close at the hub");
    expect(hub.closes).toEqual([1000]);
    expect(hub.messages.map((m) => m.t)).toEqual(["hello", "resume", "goodbye"]);
    expect(link.send({ t: "resume" })).toBe(false);
    expect(seen.downs).toEqual([]);
    await expect(link.connect()).resolves.toEqual(WELCOME);
  });

  it("closes within a second or so when the hub does not answer the close", async () => {
    const hub = await FakeHub.start();
    const { link } = linkTo(hub.url);
    await link.connect();
    hub.sockets[0]!.pause();
    const before = performance.now();
    await link.close();
    expect(performance.now() - before).toBeLessThan(3000);
  });

  it("reconnects after a cut and after the hub's death, with a fresh hello each time", async () => {
    let hub = await FakeHub.start();
    let hellos = 0;
    const { link, seen } = linkTo(hub.url, { hello: () => ({ ...HELLO, instance: String(hellos++) }) });
    await link.connect();
    link.drop();
    await until(() => seen.ups.length === 2, "the second up");
    expect(seen.downs).toEqual(["cut by drop()"]);
    expect(seen.waiting).toEqual([]);
    expect(hub.messages).toMatchObject([{ instance: "0" }, { instance: "1" }]);

    const { port } = hub;
    await hub.stop();
    await until(() => seen.waiting.length === 1, "the line that says we wait");
    expect(link.up).toBe(false);
    expect(link.send({ t: "resume" })).toBe(false);
    expect(seen.waiting[0]).toMatchObject({ code: "hub_unreachable" });
    expect(seen.waiting[0]!.message).toContain(hub.url);
    expect(seen.waiting[0]!.message).toContain("ECONNREFUSED");
    hub = await FakeHub.start(welcoming, port);
    await until(() => seen.ups.length === 3, "the third up");
    expect(hub.messages).toMatchObject([{ t: "hello", instance: "2" }]);
    expect(seen.waiting).toHaveLength(1);
    expect(seen.fatal).toEqual([]);
  });

  it("waits for a hub that is not there yet, telling so once, and close() ends the wait", async () => {
    const hub = await FakeHub.start();
    await hub.stop();
    const { link, seen } = linkTo(hub.url, { backoff: { firstMs: 1, maxMs: 5 } });
    const connecting = link.connect();
    const rejected = expect(connecting).rejects.toMatchObject({ code: "closed" });
    await until(() => seen.waiting.length > 0, "waiting");
    let dials = 0;
    await until(() => ++dials > 10, "more tries");
    expect(seen.waiting).toHaveLength(1);
    await link.close();
    await rejected;
    expect(seen.downs).toEqual([]);
  });

  it("backs off exponentially with full jitter up to the limit", async () => {
    const waits: number[] = [];
    const clock: Clock = {
      now: () => systemClock.now(),
      after: (ms, fn) => {
        waits.push(ms);
        return systemClock.after(0, fn);
      },
    };
    const hub = await FakeHub.start();
    await hub.stop();
    const { link } = linkTo(hub.url, { clock, random: () => 0.5 });
    const ended = expect(link.connect()).rejects.toMatchObject({ code: "closed" });
    await until(() => waits.length >= 8, "eight tries");
    expect(waits.slice(0, 8)).toEqual([25, 50, 100, 200, 400, 800, 1000, 1000]);
    await link.close();
    await ended;
  });

  it("stops for good, with one error, on a fatal notice", async () => {
    const hub = await FakeHub.start((ws) => {
      ws.send(
        encodeFrame([
          { t: "notice", code: "version_mismatch", message: "Hub speaks 2, you 1. Update.", fatal: true },
        ]),
      );
      ws.close();
    });
    const { link, seen } = linkTo(hub.url, { backoff: { firstMs: 1, maxMs: 1 } });
    await expect(link.connect()).rejects.toMatchObject({
      code: "version_mismatch",
      message: "Hub speaks 2, you 1. Update.",
    });
    await until(() => hub.closes.length === 1, "the close");
    expect(seen.fatal).toHaveLength(1);
    expect(seen.downs).toEqual([]);
    expect(seen.waiting).toEqual([]);
    await link.close();
    expect(hub.sockets).toHaveLength(1);
  });

  it("refuses a hub that welcomes with another version", async () => {
    const hub = await FakeHub.start((ws) => ws.send(encodeFrame([{ ...WELCOME, version: 7 }])));
    const { link, seen } = linkTo(hub.url);
    await expect(link.connect()).rejects.toMatchObject({ code: "version_mismatch" });
    expect(seen.fatal[0]!.message).toMatch(
      /The hub \(test\) speaks version 7 of the protocol, this program version 1/,
    );
    expect(link.up).toBe(false);
  });

  it("comes back after a hub that says it is stopping", async () => {
    const hub = await FakeHub.start();
    const { link, seen } = linkTo(hub.url);
    await link.connect();
    hub.sockets[0]!.send(encodeFrame([{ t: "notice", code: "hub_stopping", message: "Bye.", fatal: true }]));
    await until(() => seen.ups.length === 2, "the second up");
    expect(seen.downs).toEqual(["the hub is stopping"]);
    expect(seen.notices).toEqual(["hub_stopping: Bye."]);
    expect(seen.fatal).toEqual([]);
  });

  it("refuses an address that is none", async () => {
    const { link, seen } = linkTo("not an address");
    await expect(link.connect()).rejects.toMatchObject({ code: "bad_argument" });
    expect(seen.fatal).toHaveLength(1);
    expect(seen.fatal[0]!.message).toContain("not an address");
  });

  it("reports bad messages of the hub and goes on", async () => {
    const hub = await FakeHub.start();
    const { link, seen } = linkTo(hub.url, {
      onMessage: (message) => {
        if (message.t === "accepted") throw new FlockworkError("bad_message", "Runs that are none.");
        seen.messages.push(message);
      },
    });
    await link.connect();
    const ws = hub.sockets[0]!;
    ws.send(Buffer.from("no frame at all"));
    ws.send(encodeFrame([{ t: "submit" }, 7, WELCOME, { t: "accepted", runs: new Float64Array(0) }]));
    ws.send(encodeFrame([{ t: "refused", runs: Float64Array.of(0, 1), code: "limit", message: "Full." }]));
    await until(() => seen.messages.length === 1, "the good message");
    expect(seen.messages[0]!.t).toBe("refused");
    expect(seen.notices).toHaveLength(5);
    expect(seen.notices.every((line) => line.startsWith("bad_message: "))).toBe(true);
    expect(link.up).toBe(true);
  });

  it("gives up on a peer that accepts and never welcomes", async () => {
    const hub = await FakeHub.start(() => undefined);
    const { link, seen } = linkTo(hub.url, { welcomeTimeoutMs: 50 });
    const ended = expect(link.connect()).rejects.toMatchObject({ code: "closed" });
    await until(() => hub.count("hello") === 2, "the second try");
    expect(seen.waiting).toHaveLength(1);
    expect(seen.waiting[0]!.message).toContain("does not answer as a hub");
    await link.close();
    await ended;
  });

  it("beats when it has nothing to send, and notices a silent hub within 3 s", async () => {
    const hub = await FakeHub.start();
    const { link, seen } = linkTo(hub.url);
    await link.connect();
    const before = performance.now();
    await until(() => seen.downs.length === 1, "the silence");
    const took = performance.now() - before;
    expect(took).toBeGreaterThan(2500);
    expect(took).toBeLessThan(4000);
    expect(seen.downs).toEqual(["nothing heard from the hub"]);
    expect(hub.count("beat")).toBeGreaterThanOrEqual(2);
    await until(() => seen.ups.length === 2, "the second up");
  });

  it("takes a large frame that is still arriving for a sign of life", async () => {
    const hub = await FakeHub.start();
    const { link, seen } = linkTo(hub.url, { silentAfterMs: 300, beatEveryMs: 50 });
    await link.connect();
    // One WebSocket message in many fragments, slower than the silence allows for a whole message.
    const frame = encodeFrame([{ t: "accepted", runs: new Float64Array(1000) }]);
    const pieces = 10;
    const size = Math.ceil(frame.length / pieces);
    for (let i = 0; i < pieces; i++) {
      hub.sockets[0]!.send(frame.subarray(i * size, (i + 1) * size), { fin: i === pieces - 1 });
      await new Promise((next) => setTimeout(next, 80));
    }
    await until(() => seen.messages.length === 1, "the large message");
    expect(seen.downs).toEqual([]);
  });

  it("does not blame the hub when this loop itself was blocked", async () => {
    const hub = await FakeHub.start();
    const { link, seen } = linkTo(hub.url, { silentAfterMs: 300, beatEveryMs: 100 });
    await link.connect();
    const beats = setInterval(() => hub.sockets.at(-1)?.send(encodeFrame([{ t: "beat" }])), 50);
    const end = performance.now() + 700;
    while (performance.now() < end) Math.sqrt(end);
    await until(() => hub.count("beat") >= 3, "beats after the pause");
    clearInterval(beats);
    expect(seen.downs).toEqual([]);
    expect(link.up).toBe(true);
  });
});
