// For tests: a hub, and clients and nodes that speak the protocol by hand.
import { createHash } from "node:crypto";
import { randomHex } from "../../ids/index.js";
import {
  Link,
  packPayloads,
  PROTOCOL_VERSION,
  Serving,
  Transfers,
  bytesSource,
  type Message,
  type MessageOf,
} from "../../wire/index.js";
import { dial } from "../../wire/socket.node.js";
import { startHub } from "../hub.js";
import type { HubOptions } from "../options.js";
import type { Hub } from "../running-hub.js";

export const GRAPH = "5a".repeat(16);
export const MODEL = Uint8Array.of(1, 2, 3);
export const PROGRAM = createHash("sha256").update(MODEL).digest("hex");

/** Bytes that stand for a tensor of `n` float32: to the hub they are opaque. */
export function tensor(n: number, fill = 0): Uint8Array {
  return new Uint8Array(new Float32Array(n).fill(fill).buffer);
}

/** `size` chooses the size class. */
export function spec(inputs: (number | [number, number])[], outputs = 1, flops = 1e6) {
  return { program: PROGRAM, inputs, outputs, flops, memory: 0 };
}

export class Flock {
  readonly #ends: (() => Promise<unknown>)[] = [];
  hub!: Hub;

  async start(options: HubOptions = {}): Promise<Hub> {
    this.hub = await startHub({ port: 0, log: { level: "silent" }, ...options });
    const { hub } = this;
    this.#ends.push(() => hub.close());
    return this.hub;
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  async client(url = this.hub.url, id = "main.00.00.00.01"): Promise<TestPeer<"client">> {
    const peer = new TestPeer<"client">(url, () => ({ role: "client", kind: "main", id, session: id }));
    await peer.link.connect();
    this.#ends.push(() => peer.link.close());
    return peer;
  }

  /** A node with an engine, so it says; its answers are the test's. */
  async node(id: string, url = this.hub.url, more: object = {}): Promise<TestPeer<"node">> {
    const peer = new TestPeer<"node">(url, () => ({
      role: "node",
      kind: "computing",
      id,
      session: id,
      node: {
        ...{ slots: 1, window: 1, services: [], idempotent: [] },
        ...{ tasks: new Float64Array(0), attempts: new Uint16Array(0) },
        engine: {
          ...{ name: "test", version: "1", provider: "cpu", threads: 1, cpu: "x", dtypes: ["float32"] },
          ...{ flops: 2e10, memory: 1e10, callMs: 0.1 },
        },
        ...more,
      },
    }));
    await peer.link.connect();
    this.#ends.push(() => peer.link.close());
    return peer;
  }
}

/** A link that keeps what it hears until the test asks for it. */
export class TestPeer<R extends "client" | "node"> {
  readonly link: Link<R>;
  readonly transfers: Transfers;
  /** What it serves, by value name or given number. */
  readonly has = new Map<string | number, Uint8Array>();
  readonly #heard: Message[] = [];
  #wake = (): void => undefined;

  constructor(url: string, hello: () => Partial<MessageOf<"hello">>) {
    const instance = randomHex(8);
    this.link = new Link<R>({
      url,
      dial,
      hello: () =>
        ({
          ...{ t: "hello", version: PROTOCOL_VERSION, software: "test", instance, domain: "166" },
          ...hello(),
        }) as MessageOf<"hello">,
      onUp: () => {
        this.#ups++;
        this.#wake();
      },
      onDown: () => undefined,
      onMessage: (message) => this.#hear(message as Message),
      onNotice: (message) => this.#hear(message as Message),
    });
    const serving = new Serving(this.link as unknown as Link<"node">, (of) => {
      const bytes = this.has.get("value" in of ? of.value : "given" in of ? of.given : "");
      if (bytes === undefined) throw Object.assign(new Error("no such value"), { code: "value_lost" });
      return { source: bytesSource(bytes) };
    });
    this.transfers = new Transfers(this.link as unknown as Link<"node">);
    this.#serving = serving;
  }

  readonly #serving: Serving;
  #ups = 0;

  /** Waits until the link has been up this often. */
  async ups(times: number): Promise<void> {
    while (this.#ups < times) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  say(message: Message): void {
    this.link.send(message as never);
  }

  /** The next message of this kind; fails after ten seconds. */
  async next<N extends Message["t"]>(t: N): Promise<MessageOf<N>> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const at = this.#heard.findIndex((message) => message.t === t);
      if (at >= 0) return this.#heard.splice(at, 1)[0] as MessageOf<N>;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no "${t}" came, but ${this.#heard.map((m) => m.t).join(", ")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async fetch(of: MessageOf<"fetch">["of"]): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.transfers.fetch(of, 1 << 30)) pieces.push(new Uint8Array(piece));
    return new Uint8Array(Buffer.concat(pieces));
  }

  /** Sends a graph's start: its program, and tensors of the client's own. */
  give(given: readonly Uint8Array[], streams: [number, number][] = []): void {
    this.say({ t: "program", graph: GRAPH, hash: PROGRAM, model: MODEL });
    const payloads = given.map((bytes, i) => ({
      kind: 3,
      bytes: streams.some(([at]) => at === i) ? new Uint8Array(0) : bytes,
    }));
    for (const [i] of streams) this.has.set(i, given[i]!);
    this.say({ t: "given", graph: GRAPH, first: 0, ...packPayloads(payloads), streams });
  }

  /** Answers a task: small outputs come along, large ones are kept here under their names. */
  answer(
    task: MessageOf<"compute">["list"][number],
    outputs: readonly Uint8Array[],
    sha256?: string[],
  ): void {
    const small = outputs.map((_, i) => i).filter((i) => outputs[i]!.length <= 16 * 1024);
    outputs.forEach((bytes, i) => {
      if (!small.includes(i)) this.has.set(task.outputs[i]!, bytes);
    });
    this.say({
      t: "computed",
      task: task.task,
      attempt: task.attempt,
      ms: 1,
      bytes: Float64Array.from(outputs, ({ length }) => length),
      small,
      ...(sha256 && { sha256 }),
      ...packPayloads(small.map((i) => ({ kind: 3, bytes: outputs[i]! }))),
    });
  }

  #hear(message: Message): void {
    if (message.t === "fetch") this.#serving.receive(message);
    else if (message.t === "chunk" || message.t === "end") this.transfers.receive(message);
    else if (message.t === "grant" || message.t === "broken") {
      if (!this.#serving.receive(message)) this.transfers.receive(message);
    } else if (message.t !== "beat") this.#heard.push(message);
    this.#wake();
  }
}
