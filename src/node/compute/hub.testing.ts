// For tests: a hub of few words on loopback. It welcomes one node, sends what a test says, serves what it was given and writes
// down what it hears.
import { WebSocketServer, type WebSocket } from "ws";
import {
  bytesSource,
  checkMessage,
  decodeFrame,
  encodeFrame,
  InStream,
  packPayloads,
  PROTOCOL_VERSION,
  readStream,
  Serving,
  type MessageFrom,
  type MessageOf,
} from "../../wire/index.js";
import { FlockworkError, randomHex } from "../../ids/index.js";

type Heard = MessageFrom<"node">;
type Said = MessageFrom<"hub">;

export class TestHub {
  readonly heard: Heard[] = [];
  /** What the node may fetch: values by name, programs by hash. Asked for anything else it says `value_lost`. */
  readonly values = new Map<string, Uint8Array>();
  readonly programs = new Map<string, Uint8Array>();
  /** How often each was asked for. */
  readonly fetches: string[] = [];
  /** Whether it says that answers are stored. */
  confirms = true;
  /** Fetches are answered when this has resolved. */
  gate: Promise<void> = Promise.resolve();
  #server!: WebSocketServer;
  #socket: WebSocket | undefined = undefined;
  #serving: Serving | undefined = undefined;
  readonly #beat = setInterval(() => this.#socket?.send(encodeFrame([{ t: "beat" }])), 500);
  readonly #fetched = new Map<string, InStream>();
  #watchers: (() => void)[] = [];

  static async start(): Promise<TestHub> {
    const hub = new TestHub();
    hub.#server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
    hub.#server.on("connection", (socket) => hub.#connected(socket));
    await new Promise<void>((done) => hub.#server.once("listening", done));
    return hub;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  say(...messages: Said[]): void {
    this.#socket!.send(encodeFrame(messages));
  }

  /** All of one kind that it has heard. */
  of<T extends Heard["t"]>(t: T): Extract<Heard, { t: T }>[] {
    return this.heard.filter((message): message is Extract<Heard, { t: T }> => message.t === t);
  }

  /** Waits until it has heard `count` of a kind; the last of them. */
  async hears<T extends Heard["t"]>(t: T, count = 1): Promise<Extract<Heard, { t: T }>> {
    const end = performance.now() + 15_000;
    while (this.of(t).length < count) {
      if (performance.now() > end)
        throw new Error(
          `waited in vain for ${count} "${t}"; heard ${this.heard.map((message) => message.t).join(" ")}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.of(t)[count - 1]!;
  }

  /** Reads a value from the node. */
  async fetch(value: string, bytes: number): Promise<Uint8Array> {
    const id = randomHex(16);
    const stream = new InStream({
      maxBytes: bytes,
      grant: (have, upTo) => this.say({ t: "grant", id, have, upTo }),
    });
    this.#fetched.set(id, stream);
    this.say({ t: "fetch", id, offset: 0, upTo: stream.upTo, of: { value } });
    return readStream(stream, bytes);
  }

  /** One task as `compute`. */
  compute(
    task: Partial<MessageOf<"compute">["list"][number]> & { readonly task: number; readonly program: string },
  ): void {
    this.say(computeOf([task]));
  }

  cut(): void {
    this.#socket?.terminate();
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat);
    this.#socket?.terminate();
    await new Promise((done) => this.#server.close(done));
  }

  #connected(socket: WebSocket): void {
    this.#socket = socket;
    const serving = new Serving(
      {
        up: true,
        send: (message) => {
          socket.send(encodeFrame([message]));
          return true;
        },
        sendAlone: (message) => socket.send(encodeFrame([message])),
        bufferedAmount: 0,
        drained: () => Promise.resolve(),
      },
      async (of) => {
        await this.gate;
        const bytes =
          "value" in of
            ? this.values.get(of.value)
            : "program" in of
              ? this.programs.get(of.program)
              : undefined;
        if (bytes === undefined) throw new FlockworkError("value_lost", "nobody has it");
        return { source: bytesSource(bytes) };
      },
    );
    this.#serving = serving;
    socket.on("close", () => serving.down());
    socket.send(
      encodeFrame([{ t: "challenge", version: PROTOCOL_VERSION, software: "test", nonce: "5a".repeat(16) }]),
    );
    socket.on("message", (data) => {
      for (const message of decodeFrame(data as Buffer)) this.#take(checkMessage(message, "node"));
      for (const wake of this.#watchers.splice(0)) wake();
    });
  }

  #take(message: Heard): void {
    this.heard.push(message);
    switch (message.t) {
      case "hello":
        this.say({
          t: "welcome",
          version: PROTOCOL_VERSION,
          software: "test",
          hub: "hub.00.00.00.00",
          nextSeq: 0,
          missed: 0,
        });
        break;
      case "computed":
      case "failed":
        if (this.confirms)
          this.say({
            t: "stored",
            tasks: Float64Array.of(message.task),
            attempts: Uint16Array.of(message.attempt),
          });
        break;
      case "probe":
        this.say({ t: "echo", id: message.id, data: new Uint8Array(message.reply) });
        break;
      case "fetch":
        this.fetches.push(
          "value" in message.of ? message.of.value : "program" in message.of ? message.of.program : "",
        );
        this.#serving?.receive(message);
        break;
      case "grant":
      case "broken":
        if (message.t === "broken")
          this.#fetched.get(message.id)?.fail(new FlockworkError(message.code, message.message));
        this.#serving?.receive(message);
        break;
      case "chunk":
        this.#fetched.get(message.id)?.chunk(message.offset, message.data.slice());
        break;
      case "end":
        this.#fetched.get(message.id)?.end(message.bytes);
        break;
    }
  }
}

/** A `compute` of these tasks; `small`: values that come along. */
export function computeOf(
  tasks: readonly (Partial<MessageOf<"compute">["list"][number]> & {
    readonly task: number;
    readonly program: string;
  })[],
  small: readonly (readonly [name: string, bytes: Uint8Array])[] = [],
): MessageOf<"compute"> {
  return {
    t: "compute",
    list: tasks.map((task) => ({ attempt: 1, timeoutMs: 0, inputs: [], outputs: [], ...task })),
    names: small.map(([name]) => name),
    ...packPayloads(small.map(([, bytes]) => ({ kind: 3, bytes }))),
  };
}
