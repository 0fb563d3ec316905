// Where WebSockets come in: Host and Origin are checked, an address gets so many connections, and each becomes a peer.
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import type { HubCounters } from "./counters.js";
import type { Traffic, Watch } from "./events/index.js";
import type { Gate } from "./gate.js";
import type { HubLimits } from "./limits.js";
import { PlainRoad } from "../wire/socket.node.js";
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

/** Of one connection. */
const LOGGED_BAD_MESSAGES = 5;

export class Entrance {
  /** Everybody who is connected, whether they have said hello or not. */
  readonly peers = new Set<Peer>();
  readonly #options: EntranceOptions;
  readonly #sockets: WebSocketServer;
  /** What peers that have left had sent and got. */
  #gone = { bytesIn: 0, bytesOut: 0 };
  readonly #webSockets = new Tally();
  readonly #connections = new Tally();

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: options.limits.frameBytes,
    });
    options.http.on("connection", (socket: Socket) => this.#connected(socket));
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

  /** Sockets that never become WebSockets cost something too; those past the limit get no word, which would cost more. */
  #connected(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    if (this.#connections.of(address) < 2 * this.#options.limits.connectionsPerAddress)
      this.#connections.count(address, socket);
    else {
      this.#options.counters.refusedConnections++;
      socket.destroy();
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { gate, limits, log } = this.#options;
    // From here on nobody else listens, and a connection that is reset must not end the hub.
    socket.on("error", () => socket.destroy());
    const address = request.socket.remoteAddress ?? "";
    const connections = this.#webSockets.of(address);
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
    this.#webSockets.count(address, socket);
    let bad = 0;
    const road = new PlainRoad();
    const net = road.adopt(request.socket);
    this.#sockets.handleUpgrade(request, net ?? socket, head, (ws) => {
      const connection = net === undefined ? { net: request.socket } : { net, road };
      const peer = new Peer(ws, connection, limits, {
        onHello: this.#options.onHello,
        onBadMessage: (from, error) => {
          this.#options.counters.badMessages++;
          // The first few tell what is wrong; the others would fill the disk.
          if (++bad <= LOGGED_BAD_MESSAGES)
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
        if (bad > LOGGED_BAD_MESSAGES)
          log.warn({ peer: peer.hello?.id, count: bad }, "messages that did not fit");
      });
    });
  }
}

/** How many sockets of an address are open. */
class Tally {
  readonly #counts = new Map<string, number>();

  of(address: string): number {
    return this.#counts.get(address) ?? 0;
  }

  count(address: string, socket: Duplex): void {
    this.#counts.set(address, this.of(address) + 1);
    socket.once("close", () => {
      const left = this.of(address) - 1;
      if (left > 0) this.#counts.set(address, left);
      else this.#counts.delete(address);
    });
  }
}
