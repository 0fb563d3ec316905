// Who comes while the hub is still reading its journal: connections wait for it, requests hear that it is starting. Without
// this an upgrade that nobody listens for would hang until its sender gives up, seconds after the hub is there.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

export interface Threshold {
  /** The hub is ready: its own listeners get whoever waited. */
  open(): void;
  /** There will be no hub: turns everybody away. */
  close(): void;
}

export function threshold(http: Server): Threshold {
  const waiting: [IncomingMessage, Duplex, Buffer][] = [];
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy()); // it may give up while it waits
    waiting.push([request, socket, head]);
  };
  const onRequest = (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(503, { "content-type": "application/json", "retry-after": "1" });
    response.end(`${JSON.stringify({ status: "starting" })}\n`);
  };
  http.on("upgrade", onUpgrade).on("request", onRequest);
  const leave = () => {
    http.off("upgrade", onUpgrade).off("request", onRequest);
    return waiting.splice(0);
  };
  return {
    open: () => {
      for (const upgrade of leave()) http.emit("upgrade", ...upgrade);
    },
    close: () => {
      for (const [, socket] of leave()) socket.destroy();
      http.close();
      http.closeAllConnections();
    },
  };
}
