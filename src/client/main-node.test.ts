// A main node against a hub of few words, which the test speaks for: what is sent again after a break, and what never twice.
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { JobError } from "../ids/index.js";
import {
  decodeFrame,
  encodeFrame,
  packPayloads,
  PROTOCOL_VERSION,
  type Message,
  type MessageFrom,
  type MessageOf,
} from "../wire/index.js";
import { dial } from "../wire/socket.node.js";
import { MainNode } from "./main-node.js";
import type { MainNodeOptions } from "./main-node-options.js";
import type { Result } from "./result.js";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

class ScriptedHub {
  /** What the welcome says. */
  journal = "first";
  nextSeq = 0;
  missed = 0;
  readonly heard: Message[] = [];
  #socket: WebSocket | undefined;
  #wake = () => {};
  #fence = () => {};
  readonly #server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

  static async start(): Promise<ScriptedHub> {
    const hub = new ScriptedHub();
    await new Promise((resolve) => hub.#server.once("listening", resolve));
    hub.#server.on("connection", (socket) => {
      hub.#socket = socket;
      hub.say({ t: "challenge", version: PROTOCOL_VERSION, software: "test", nonce: "5a".repeat(16) });
      socket.on("message", (bytes: Buffer) => {
        for (const message of decodeFrame(bytes) as Message[]) hub.#hear(message);
      });
    });
    ends.push(
      () =>
        new Promise((resolve) => {
          for (const socket of hub.#server.clients) socket.terminate();
          hub.#server.close(resolve);
        }),
    );
    return hub;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #hear(message: Message): void {
    if (message.t === "beat") return;
    if (message.t === "hello")
      this.say({
        t: "welcome",
        version: PROTOCOL_VERSION,
        software: "test",
        hub: this.journal,
        nextSeq: this.nextSeq,
        missed: this.missed,
      });
    this.heard.push(message);
    this.#wake();
  }

  say(...messages: MessageFrom<"hub">[]): void {
    this.#socket?.send(encodeFrame(messages));
  }

  /** The next message of a type. */
  async next<N extends Message["t"]>(t: N): Promise<MessageOf<N>> {
    for (;;) {
      const at = this.heard.findIndex((message) => message.t === t);
      if (at >= 0) return this.heard.splice(at, 1)[0] as MessageOf<N>;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Waits until the main node has read all that was said before. */
  async heardOut(): Promise<void> {
    const read = new Promise<void>((resolve) => (this.#fence = resolve));
    this.say({ t: "notice", code: "test", message: "", fatal: false });
    await read;
  }

  noticed(): void {
    this.#fence();
  }

  solve(seqs: readonly number[], text: string): void {
    const bytes = new TextEncoder().encode(text);
    const payloads = packPayloads(seqs.map(() => ({ kind: 1, bytes })));
    this.say({ t: "solutions", seqs: Float64Array.from(seqs), node: "worker.00.00.00.01", ...payloads });
  }

  fail(seq: number, code: string): void {
    this.say({
      t: "unsolved",
      seq,
      code,
      message: `it is ${code}`,
      reasons: [
        ["a.00.00.00.01", "service_error", "no"],
        ["b.00.00.00.02", "service_error", "never"],
      ],
    });
  }
}

async function join(hub: ScriptedHub, options: Partial<MainNodeOptions> = {}): Promise<MainNode> {
  const onNotice = () => hub.noticed();
  const main = await MainNode.start({ hub: hub.url, onNotice, ...options }, { dial, software: "test" });
  ends.push(() => main.close());
  await hub.next("hello");
  return main;
}

const rejection = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => {
      throw new Error("it was solved");
    },
    (error: unknown) => error as JobError,
  );

describe("a request", () => {
  it("resolves with the solution and its node, and acknowledges it", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const pending = main.request("upper", "first job", { priority: 2, attempts: 3, deadlineMs: 1000 });
    const submit = await hub.next("submit");
    expect(submit).toMatchObject({ seq: 0, service: "upper", priority: 2, attempts: 3, deadlineMs: 1000 });
    hub.say({ t: "accepted", runs: Float64Array.of(0, 1) });
    hub.solve([0], "FIRST JOB");
    const solution = await pending;
    expect([solution.text(), solution.node, solution.ok]).toEqual(["FIRST JOB", "worker.00.00.00.01", true]);
    expect((await hub.next("ack")).runs).toEqual(Float64Array.of(0, 1));
  });

  it("rejects with every attempt's reason", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const failed = rejection(main.request("upper", "x"));
    await hub.next("submit");
    hub.fail(0, "service_error");
    const error = await failed;
    expect(error).toBeInstanceOf(JobError);
    expect(error).toMatchObject({
      code: "service_error",
      message: "it is service_error",
      node: "b.00.00.00.02",
    });
    expect(error.reasons.map(({ node, message }) => [node, message])).toEqual([
      ["a.00.00.00.01", "no"],
      ["b.00.00.00.02", "never"],
    ]);
  });

  it("rejects at once when its signal aborts, and tells the hub", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const abort = new AbortController();
    const failed = rejection(main.request("upper", "x", { signal: abort.signal }));
    await hub.next("submit");
    abort.abort();
    expect((await failed).code).toBe("cancelled");
    expect((await hub.next("cancel")).runs).toEqual(Float64Array.of(0, 1));
    // The node was quicker; the solution is acknowledged and shown to nobody.
    hub.solve([0], "X");
    expect((await hub.next("ack")).runs).toEqual(Float64Array.of(0, 1));
    const early = AbortSignal.abort();
    expect((await rejection(main.request("upper", "y", { signal: early }))).code).toBe("cancelled");
  });

  it("rejects what can not travel, and sends nothing", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    expect((await rejection(main.request("upper", 10n))).message).toMatch(/BigInt|can not travel/);
    expect((await rejection(main.request("upper", () => 1))).code).toBe("bad_argument");
    void main.request("upper", "good");
    expect((await hub.next("submit")).seq).toBe(0);
  });

  it("names the option that can not be used", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const other = await join(hub);
    const foreign = other.request("upper", "x");
    expect(() => main.request("", "x")).toThrow(/service's name is ""/);
    expect(() => main.request("upper", "x", { attempts: 0 })).toThrow(/attempts is 0/);
    expect(() => main.request("upper", "x", { deadlineMs: Number.NaN })).toThrow(/deadlineMs is NaN/);
    expect(() => main.request("upper", "x", { priority: 0.5 })).toThrow(/priority is 0.5/);
    expect(() => main.request("upper", "x", { inputs: [foreign] })).toThrow(/inputs\[0\] is no request/);
    expect(() => main.submit("upper", 5 as never)).toThrow(/not a number; for one job use request/);
    expect(() => main.submit("upper", "text" as never)).toThrow(/not a string; for one job use request/);
  });

  it("takes earlier requests as inputs by their numbers", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const a = main.request("upper", "a");
    const b = main.request("upper", "b");
    const c = main.request("join", "c", { inputs: [b, a] });
    await hub.next("submit");
    await hub.next("submit");
    expect((await hub.next("submit")).inputs).toEqual([1, 0]);
    hub.solve([0, 1], "DONE");
    await a;
    // Between its solution and the end of this turn it can still be named.
    void main.request("join", "d", { inputs: [a] });
    expect((await hub.next("submit")).inputs).toEqual([0]);
    await b;
    hub.solve([2], "C");
    expect((await c).text()).toBe("C");
  });
});

describe("after a break of the link", () => {
  it("sends again what was not acknowledged, and only that", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    void main.request("upper", "taken");
    void main.request("upper", "lost");
    await hub.next("submit");
    await hub.next("submit");
    hub.say({ t: "accepted", runs: Float64Array.of(0, 1) });
    await hub.heardOut();
    main.drop();
    const hello = await hub.next("hello");
    expect(hello.since).toBe(0);
    expect(await hub.next("submit")).toMatchObject({ seq: 1 });
    // Solutions come again when their acknowledgement was lost: they count once.
    hub.solve([0, 1], "X");
    hub.solve([0, 1], "X");
    const acknowledged = new Set<number>();
    while (acknowledged.size < 2) {
      const { runs } = await hub.next("ack");
      for (let i = 0; i < runs.length; i += 2)
        for (let k = 0; k < runs[i + 1]!; k++) acknowledged.add(runs[i]! + k);
    }
    expect(hub.heard.filter(({ t }) => t === "submit")).toEqual([]);
  });

  it("sends a cancel again that was lost with the link", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const batch = main.submit("upper", ["a", "b"]);
    await hub.next("submit");
    hub.say({ t: "accepted", runs: Float64Array.of(0, 2) });
    main.drop();
    const cancelled = batch.cancel();
    await hub.next("hello");
    expect((await hub.next("cancel")).runs).toEqual(Float64Array.of(0, 2));
    hub.fail(0, "cancelled");
    hub.fail(1, "cancelled");
    await cancelled;
  });

  it("reports what a hub without memory has lost, and sends the rest", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const lost = rejection(main.request("upper", "was taken"));
    await hub.next("submit");
    hub.say({ t: "accepted", runs: Float64Array.of(0, 1) });
    await hub.heardOut();
    hub.journal = "second";
    main.drop();
    const kept = main.request("upper", "not yet sent");
    expect((await lost).code).toBe("hub_lost");
    await hub.next("hello");
    expect(await hub.next("submit")).toMatchObject({ seq: 1 });
    hub.solve([1], "YES");
    expect((await kept).text()).toBe("YES");
  });

  it("keeps what a stopping hub refused for the hub that follows", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    const pending = main.request("upper", "x");
    await hub.next("submit");
    hub.say({ t: "refused", runs: Float64Array.of(0, 1), code: "hub_stopping", message: "stopping" });
    hub.say({ t: "notice", code: "hub_stopping", message: "stopping", fatal: true });
    await hub.next("hello");
    await hub.next("submit");
    hub.solve([0], "X");
    expect((await pending).text()).toBe("X");
  });
});

describe("a session", () => {
  it("hands out what an earlier process missed, each once, and acknowledges what is taken", async () => {
    const hub = await ScriptedHub.start();
    hub.nextSeq = 7;
    hub.missed = 2;
    const main = await join(hub, { session: "nightly" });
    expect(main.missed).toBe(2);
    const results: Result[] = [];
    const reading = (async () => {
      for await (const result of main.resume()) results.push(result);
    })();
    await hub.next("resume");
    hub.solve([5], "FIVE");
    await hub.next("ack");
    main.drop();
    await hub.next("hello");
    await hub.next("resume");
    hub.solve([5], "FIVE");
    hub.fail(6, "deadline");
    await reading;
    expect(results.map((r) => [r.index, r.ok ? r.text() : r.error.code])).toEqual([
      [5, "FIVE"],
      [6, "deadline"],
    ]);
    // New jobs get new numbers.
    void main.request("upper", "x");
    expect((await hub.next("submit")).seq).toBe(7);
    await expect(main.resume().next()).rejects.toThrow(/called once/);
  });

  it("has nothing to hand out where nothing was missed", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub, { session: "nightly" });
    expect(await main.resume().next()).toEqual({ done: true, value: undefined });
  });
});

describe("closing", () => {
  it("settles what is open, and takes nothing more", async () => {
    const hub = await ScriptedHub.start();
    const main = await join(hub);
    expect(main.state).toBe("running");
    const open = rejection(main.request("upper", "x"));
    const batch = main.submit("upper", ["y"]);
    await main.close();
    expect(main.state).toBe("stopped");
    expect((await open).code).toBe("closed");
    for await (const result of batch) expect(result.ok ? "" : result.error.code).toBe("closed");
    expect(() => main.request("upper", "z")).toThrow(/closed; join again/);
    await hub.next("goodbye");
    // What was given up was not acknowledged.
    expect(hub.heard.filter(({ t }) => t === "ack")).toEqual([]);
  });
});
