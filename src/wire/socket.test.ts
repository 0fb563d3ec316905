// One conformance suite for both sockets. The browser's runs here on ws's WebSocket, which has the same interface.
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { dial as dialBrowser } from "./socket.browser.js";
import { dial as dialNode, dialWith } from "./socket.node.js";
import { closeReason, type Dial, type Socket } from "./socket.js";

let server: WebSocketServer;
let url = "";
const serverCloses: [number, string][] = [];

beforeEach(async () => {
  vi.stubGlobal("WebSocket", WebSocket);
  serverCloses.length = 0;
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (ws) => {
    ws.on("message", (data, binary) => ws.send(data, { binary }));
    ws.on("close", (code, reason) => serverCloses.push([code, reason.toString()]));
    if (hello !== undefined) ws.send(hello);
    for (const [i, piece] of pieces.entries()) ws.send(piece, { fin: i === pieces.length - 1 });
  });
  await new Promise((done) => server.once("listening", done));
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  vi.unstubAllGlobals();
  hello = undefined;
  pieces = [];
  for (const ws of server.clients) ws.terminate();
  await new Promise((done) => server.close(done));
});
/** What the server says first. */
let hello: string | undefined;
/** One message of the server's, in so many fragments. */
let pieces: Uint8Array[] = [];

/** Everything a socket reports, in order. */
function watch(socket: Socket): { events: string[]; closed: Promise<void>; opened: Promise<void> } {
  const events: string[] = [];
  const opened = new Promise<void>((done) => {
    socket.onOpen = () => {
      events.push("open");
      done();
    };
  });
  socket.onMessage = (bytes, tail = new Uint8Array()) =>
    events.push(`message ${[...bytes, ...tail].join(" ")}`);
  socket.onError = () => events.push("error");
  const closed = new Promise<void>((done) => {
    socket.onClose = (code) => {
      events.push(`close ${code}`);
      done();
    };
  });
  return { events, closed, opened };
}

const DIALS: [string, Dial][] = [
  ["socket.node", dialNode],
  ["socket.browser", dialBrowser],
];

describe.each(DIALS)("%s", (_name, dial) => {
  it("opens, carries bytes both ways, closes with a reason however long", async () => {
    const socket = dial(url);
    const { events, opened, closed } = watch(socket);
    socket.send(Uint8Array.of(9));
    await opened;
    socket.send(Uint8Array.of(1, 2, 3).subarray(1));
    await expect.poll(() => events.length).toBe(2);
    socket.close(1000, "ö".repeat(200));
    await closed;
    await expect.poll(() => serverCloses).toEqual([[1000, "ö".repeat(60)]]);
    expect(events).toEqual(["open", "message 2 3", "close 1000"]);
    expect(socket.bufferedAmount).toBe(0);
    socket.send(Uint8Array.of(4));
    socket.terminate();
  });

  it("sends a frame with a tail as one message, and takes one in any number of fragments", async () => {
    pieces = [Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4)];
    const socket = dial(url);
    const { events, opened } = watch(socket);
    await opened;
    socket.send(Uint8Array.of(5, 6), Uint8Array.of(7));
    socket.send(Uint8Array.of(8));
    await expect.poll(() => events).toEqual(["open", "message 1 2 3 4", "message 5 6 7", "message 8"]);
    socket.terminate();
  });

  it("reports one close when cut, and no message after it", async () => {
    const socket = dial(url);
    const { events, opened, closed } = watch(socket);
    await opened;
    socket.send(Uint8Array.of(1));
    socket.terminate();
    socket.terminate();
    await closed;
    await expect.poll(() => serverCloses).toHaveLength(1);
    expect(events).toEqual(["open", "close 1006"]);
  });

  it("closes a connection that speaks text", async () => {
    hello = "hello?";
    const { events, closed } = watch(dial(url));
    await closed;
    expect(events[0]).toBe("open");
    expect(events.filter((event) => event.startsWith("message"))).toEqual([]);
  });

  it("reports an error and a close where nobody listens", async () => {
    const { events, closed } = watch(dial("ws://127.0.0.1:1"));
    await closed;
    expect(events).toEqual(["error", "close 1006"]);
  });

  it("throws on an address that is none", () => {
    expect(() => dial("no address")).toThrow();
  });
});

describe("socket.node", () => {
  it("refuses frames over its limit", async () => {
    const socket = dialWith({ maxPayload: 100 })(url);
    const { events, opened, closed } = watch(socket);
    await opened;
    socket.send(new Uint8Array(101));
    await closed;
    expect(events).toEqual(["open", "error", "close 1006"]);
  });

  it("counts bytes that arrive", async () => {
    const socket = dialNode(url);
    const { events, opened } = watch(socket);
    await opened;
    const before = socket.bytesReceived!;
    socket.send(new Uint8Array(50));
    await expect.poll(() => events.length).toBe(2);
    expect(socket.bytesReceived! - before).toBe(52);
    socket.terminate();
  });
});

it("closeReason cuts at a character", () => {
  expect(closeReason(undefined)).toBe("");
  expect(closeReason("a".repeat(123))).toBe("a".repeat(123));
  expect(closeReason("a" + "ö".repeat(100))).toBe("a" + "ö".repeat(59));
});
