// For tests: a whole hub on a free port, and peers that speak to it by hand and keep what they are told.
import { afterEach } from "vitest";
import { Link, PROTOCOL_VERSION, type Message, type MessageOf } from "../wire/index.js";
import { dial } from "../wire/socket.node.js";
import { startHub } from "./hub.js";

/** What the test leaves behind, ended last first. */
export const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A hub, with a data directory or without; its address. */
export async function hub(dataDir?: string): Promise<string> {
  const started = await startHub({
    port: 0,
    log: { level: "silent" },
    ...(dataDir !== undefined && { dataDir }),
  });
  ends.push(() => started.close());
  return started.url;
}

/** The id of a stream. */
export const idOf = (n: number) => n.toString(16).padStart(32, "0");

/** A peer that keeps what it is told. */
export async function peer<R extends "client" | "node">(url: string, role: R, name: string) {
  const heard: Message[] = [];
  let wake = () => {};
  const hear = (message: Message) => {
    heard.push(message);
    wake();
  };
  const attempts = { tasks: new Float64Array(), attempts: new Uint16Array() };
  const link = new Link<R>({
    url,
    dial,
    hello: () => ({
      t: "hello",
      version: PROTOCOL_VERSION,
      software: "test",
      role,
      kind: role === "node" ? "computing" : "main",
      id: `${name}.00.00.00.01`,
      session: name,
      instance: "1",
      domain: "166",
      ...(role === "node" && {
        node: { slots: 1, window: 1, services: ["upper"], idempotent: [], ...attempts },
      }),
    }),
    onUp: () => undefined,
    onDown: () => undefined,
    onMessage: hear,
    onNotice: hear,
  });
  ends.push(() => link.close());
  await link.connect();
  const next = async <N extends Message["t"]>(t: N): Promise<MessageOf<N>> => {
    for (;;) {
      const at = heard.findIndex((message) => message.t === t);
      if (at >= 0) return heard.splice(at, 1)[0] as MessageOf<N>;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  /** Cut off without a word, for good. */
  const die = () => {
    link.drop();
    return link.close();
  };
  return { link, next, heard, die };
}
