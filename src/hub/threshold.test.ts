import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { threshold, type Threshold } from "./threshold.js";

let http: Server;
let early: Threshold;
let address: string;
beforeEach(async () => {
  http = createServer();
  early = threshold(http);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  address = `127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(() => {
  http.close();
  http.closeAllConnections();
});

/** A socket whose upgrade request has arrived. */
async function dialled(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${address}`);
  socket.on("error", () => undefined);
  await once(http, "upgrade");
  return socket;
}

it("keeps connections waiting until the hub listens", async () => {
  const socket = await dialled();
  const sockets = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, net, head) =>
    sockets.handleUpgrade(request, net, head, (ws) => ws.send("here")),
  );
  expect(socket.readyState).toBe(WebSocket.CONNECTING);
  early.open();
  const [message] = (await once(socket, "message")) as [Buffer];
  expect(message.toString()).toBe("here");
  socket.terminate();
});

it("bears one that gave up while it waited", async () => {
  const socket = await dialled();
  socket.terminate();
  const second = await dialled();
  const sockets = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, net, head) =>
    sockets.handleUpgrade(request, net, head, (ws) => {
      ws.on("error", () => undefined);
      ws.send("here");
    }),
  );
  early.open();
  const [message] = (await once(second, "message")) as [Buffer];
  expect(message.toString()).toBe("here");
  second.terminate();
});

it("tells requests that the hub is starting", async () => {
  const response = await fetch(`http://${address}/healthz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ status: "starting" });
});

it("turns everybody away when there will be no hub", async () => {
  const socket = await dialled();
  early.close();
  await new Promise((closed) => socket.once("close", closed));
  expect(http.listening).toBe(false);
});
