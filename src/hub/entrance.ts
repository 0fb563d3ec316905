// Where WebSockets come in: Host and Origin are checked, an address gets so many connections, and each becomes a peer.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import type { HubCounters } from "./counters.js";
import type { Traffic, Watch } from "./events/index.js";
import type { Gate } from "./gate.js";
import type { HubLimits } from "./limits.js";
import { Peer, type PeerEvents } from "./peer.js";

export interface EntranceOptions {
  readonly http: Server;
  readonly gate: Gate;
  readonly limits: HubLimits;
  readonly counters: HubCounters;
  readonly watch: Watch;
  readonly log: Logger;
  readonly onHello: PeerEvents["onHello"];
}

export class Entrance {
  /** Everybody who is connected, whether they have said hello or not. */
  readonly peers = new Set<Peer>();
  readonly #options: EntranceOptions;
  readonly #sockets: WebSocketServer;
  /** What peers that have left had sent and got. */
  #gone = { bytesIn: 0, bytesOut: 0 };
  readonly #perAddress = new Map<string, number>();

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: options.limits.frameBytes,
    });
    options.http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Bytes of all frames so far, and who is connected. */
  traffic(): Traffic {
    let { bytesIn, bytesOut } = this.#gone;
    for (const peer of this.peers) {
      bytesIn += peer.bytesIn;
      bytesOut += peer.bytesOut;
    }
    return { bytesIn, bytesOut, connections: this.peers.size };
  }

  /** Stops letting anybody in. */
  close(): void {
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { gate, limits, log } = this.#options;
    // From here on nobody else listens, and a connection that is reset must not end the hub.
    socket.on("error", () => socket.destroy());
    const address = request.socket.remoteAddress ?? "";
    const connections = this.#perAddress.get(address) ?? 0;
    const refused =
      gate.refuses(request) ??
      (connections >= limits.connectionsPerAddress
        ? `${address} has ${connections} connections, which is the limit.`
        : undefined);
    if (refused !== undefined) {
      log.warn({ address }, refused);
      this.#options.counters.refusedConnections++;
      this.#options.watch.mishap({ code: "refused", message: refused, client: address });
      // Not left half open to whoever does not close their side.
      socket.once("finish", () => socket.destroy());
      socket.end(
        `HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(refused)}\r\n\r\n${refused}`,
      );
      return;
    }
    this.#perAddress.set(address, connections + 1);
    let counted = true;
    socket.once("close", () => {
      if (!counted) return;
      counted = false;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      const peer = new Peer(ws, request.socket, limits, {
        onHello: this.#options.onHello,
        onBadMessage: (from, error) => {
          this.#options.counters.badMessages++;
          log.warn({ peer: from.hello?.id, code: error.code }, error.message);
          this.#options.watch.mishap({
            code: error.code,
            message: error.message,
            client: from.hello?.id ?? address,
          });
        },
        onBug: (error) => log.error({ err: error }, "a message met a bug"),
      });
      this.peers.add(peer);
      ws.on("close", () => {
        this.peers.delete(peer);
        this.#gone.bytesIn += peer.bytesIn;
        this.#gone.bytesOut += peer.bytesOut;
      });
    });
  }
}
