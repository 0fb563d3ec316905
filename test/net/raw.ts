// Connections that say what a test says: WebSockets that know frames, bare sockets that know nothing, requests with any header.
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { WebSocket } from "ws";
import { decodeFrame, encodeFrame, parseToken, proveHello } from "../../dist/wire/index.js";
import type { Message, MessageOf } from "../../dist/wire/index.js";
import { Flock, until, type HubProcess, type OnFinished } from "../flock.js";

export type Role = "compute" | "main" | "observe";

/** A hub that asks for tokens, and one of each role. */
export async function guarded(onFinished: OnFinished) {
  const flock = new Flock(onFinished);
  const hub = await flock.hub({ args: ["--require-token"] });
  const file = join(flock.folder, "data", "tokens.json");
  const stored = JSON.parse(readFileSync(file, "utf8")) as { role: Role; token: string }[];
  const tokens = Object.fromEntries(stored.map(({ role, token }) => [role, token])) as Record<Role, string>;
  return { flock, hub, file, tokens };
}

/** Words of a client's hello. */
export const CLIENT = {
  t: "hello",
  version: 1,
  software: "test",
  role: "client",
  kind: "main",
  id: "raw.00.00.00.01",
  session: "raw",
  instance: "1",
  domain: "166",
} as const satisfies MessageOf<"hello">;

/** Words of a node's hello that offers `services`. */
export function nodeWords(id: string, services: readonly string[]): MessageOf<"hello"> {
  const none = { tasks: new Float64Array(), attempts: new Uint16Array() };
  const node = { slots: 1, window: 4, services: [...services], idempotent: [], ...none };
  return { ...CLIENT, role: "node", kind: "computing", id, session: id, node };
}

/** A WebSocket that says what the test says. */
export class Raw {
  readonly heard: Message[] = [];
  closed = false;
  /** How it was closed. */
  code = 0;
  readonly socket: WebSocket;

  constructor(flock: Flock, hub: string) {
    this.socket = new WebSocket(hub, { perMessageDeflate: false });
    this.socket.on("message", (bytes: Buffer) => this.heard.push(...(decodeFrame(bytes) as Message[])));
    this.socket.on("error", () => undefined);
    this.socket.on("close", (code) => {
      this.code = code;
      this.closed = true;
    });
    flock.atEnd(() => this.socket.terminate());
  }

  /** One that has been welcomed. */
  static async joined(flock: Flock, hub: string, words: Partial<MessageOf<"hello">> = {}): Promise<Raw> {
    const raw = new Raw(flock, hub);
    await raw.hears("challenge");
    raw.say({ ...CLIENT, ...words });
    await raw.hears("welcome");
    return raw;
  }

  /** Its first message of a name, heard already or soon. */
  hears<N extends Message["t"]>(t: N, which: (message: MessageOf<N>) => boolean = () => true) {
    const fits = (message: Message) => message.t === t && which(message as MessageOf<N>);
    return until(
      `${t} (heard: ${this.heard.map((m) => m.t).join(" ")})`,
      () => this.heard.find(fits),
      (found) => found !== undefined,
      30_000,
    ) as Promise<MessageOf<N>>;
  }

  say(...messages: object[]): void {
    this.socket.send(encodeFrame(messages));
  }

  /** Bytes that need not be a frame. */
  sayBytes(bytes: Uint8Array): void {
    this.socket.send(bytes);
  }

  notices(code: string): MessageOf<"notice">[] {
    return this.heard.filter(
      (message): message is MessageOf<"notice"> => message.t === "notice" && message.code === code,
    );
  }

  /** Its hello, proven with a token. */
  async prove(text: string, words: Partial<MessageOf<"hello">> = {}): Promise<MessageOf<"hello">> {
    return proveHello({ ...CLIENT, ...words }, await this.hears("challenge"), parseToken(text)).hello;
  }

  /** It was turned away: the fatal notice's message. */
  async refused(expected = "unauthorized"): Promise<string> {
    const { code, fatal, message } = await this.hears("notice", (notice) => notice.fatal);
    expect([code, fatal]).toEqual([expected, true]);
    await this.ended();
    return message;
  }

  async ended(limitMs = 30_000): Promise<void> {
    await until(
      "its end",
      () => this.closed,
      (closed) => closed,
      limitMs,
    );
  }
}

/** A TCP socket that writes what the test writes. */
export class Bare {
  heard = "";
  closed = false;
  readonly socket: Socket;

  constructor(flock: Flock, port: number, first: string | Uint8Array = "") {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (bytes: Buffer) => (this.heard += bytes.toString("latin1")));
    this.socket.on("error", () => undefined).on("close", () => (this.closed = true));
    if (first.length > 0) this.socket.write(first);
    flock.atEnd(() => void this.socket.destroy());
  }

  /** One whose upgrade was taken: from here on it speaks WebSocket. */
  static async upgraded(flock: Flock, port: number): Promise<Bare> {
    const lines = Object.entries({ host: `127.0.0.1:${port}`, ...UPGRADE }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    const bare = new Bare(flock, port, ["GET / HTTP/1.1", ...lines, "", ""].join("\r\n"));
    await until(
      "the upgrade",
      () => bare.heard.startsWith("HTTP/1.1 101"),
      (taken) => taken,
    );
    return bare;
  }

  async ended(limitMs = 30_000): Promise<void> {
    await until(
      "its end",
      () => this.closed,
      (closed) => closed,
      limitMs,
    );
  }
}

/** The head of a binary WebSocket message of `length` bytes, masked with zeros. */
export function webSocketHead(length: number): Uint8Array {
  const head = Buffer.alloc(14);
  head[0] = 0x82;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

export const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

/** An HTTP request with these headers and this path as it is: status, headers and body. */
export function fetchRaw(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) =>
    request({
      host: "127.0.0.1",
      port,
      path,
      method,
      headers,
      agent: false,
      setHost: headers["host"] === undefined,
    })
      .on("response", (response) => {
        let body = "";
        response.setEncoding("latin1").on("data", (text: string) => (body += text));
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      })
      .on("upgrade", (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode!, headers: response.headers, body: "" });
      })
      .on("error", reject)
      .end(),
  );
}

/** Resident memory of a process in bytes, and the most it has had, as Linux tells it. */
export function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { now: of("VmRSS"), most: of("VmHWM") };
}

/** Somebody who uses the hub meanwhile and must notice nothing. */
export async function bystander(flock: Flock, hub: HubProcess) {
  await flock.worker(hub.url, { name: "bystander", services: ["quiet"] });
  const main = await flock.main(hub.url, { name: "bystander" });
  let jobs = 0;
  return async () => {
    const text = `job ${jobs++}`;
    expect((await main.request("quiet", text)).text()).toBe(text.toUpperCase());
    expect(main.state).toBe("running");
  };
}
