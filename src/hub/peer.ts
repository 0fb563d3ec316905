// One WebSocket at the hub: frames in and out, the hello, and proof of life. What messages mean is for the desks.
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { FlockworkError } from "../ids/index.js";
import {
  checkMessage,
  decodeFrame,
  Outbox,
  type Message,
  type MessageFrom,
  type MessageOf,
  type Role,
} from "../wire/index.js";

export type Hello = MessageOf<"hello">;

export interface PeerEvents {
  /** Returns what is to be done with this peer's further messages, or throws a FlockworkError that refuses it. */
  onHello(peer: Peer, hello: Hello): { onMessage(message: never): void; onClose(): void };
  /** A message or frame that does not fit; it has been answered and cost only itself. */
  onBadMessage(peer: Peer, error: FlockworkError): void;
  onBug(error: unknown): void;
}

export class Peer {
  hello: Hello | undefined = undefined;
  framesIn = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly #socket: WebSocket;
  readonly #net: Socket;
  #heardBytes = 0;
  #heardAt: number;
  readonly #events: PeerEvents;
  readonly #outbox: Outbox<Message>;
  #desk: ReturnType<PeerEvents["onHello"]> | undefined = undefined;
  #closed = false;

  constructor(socket: WebSocket, net: Socket, events: PeerEvents) {
    this.#socket = socket;
    this.#net = net;
    this.#events = events;
    this.#heardAt = performance.now();
    this.#outbox = new Outbox((frame) => {
      this.bytesOut += frame.length;
      socket.send(frame);
    });
    socket.on("message", (bytes: Buffer) => this.#receive(bytes));
    socket.on("close", () => this.#close());
    // An error is always followed by a close, which is where it is dealt with.
    socket.on("error", () => undefined);
  }

  /** When a byte last came, as performance.now(); a large frame on a slow link counts while it arrives. */
  heardAt(now: number): number {
    if (this.#net.bytesRead !== this.#heardBytes) {
      this.#heardBytes = this.#net.bytesRead;
      this.#heardAt = now;
    }
    return this.#heardAt;
  }

  /** Gives the peer more time: this process was held up itself. */
  forgive(ms: number): void {
    this.#heardAt += ms;
  }

  send(message: MessageFrom<"hub">): void {
    if (!this.#closed) this.#outbox.push(message);
  }

  /** Like send, for confirmations that may wait a moment for others to travel with. */
  sendLater(message: MessageFrom<"hub">): void {
    if (!this.#closed) this.#outbox.pushLater(message);
  }

  /** Sends what has gathered now rather than at the end of the tick. */
  flush(): void {
    if (!this.#closed) this.#outbox.flush();
  }

  /** Tells the peer why and closes. */
  refuse(error: FlockworkError): void {
    this.send({ t: "notice", code: error.code, message: error.message, fatal: true });
    this.flush();
    this.#socket.close(1008, error.code);
  }

  /** Cuts the connection of a peer that has fallen silent. */
  cut(): void {
    this.#socket.terminate();
  }

  #receive(bytes: Buffer): void {
    this.framesIn++;
    this.bytesIn += bytes.length;
    let messages: unknown[];
    try {
      messages = decodeFrame(bytes);
    } catch (error) {
      this.#answer(error);
      return;
    }
    for (const message of messages) {
      try {
        this.#take(message);
      } catch (error) {
        this.#answer(error);
      }
      if (this.#closed) return;
    }
  }

  #take(message: unknown): void {
    if (this.#desk !== undefined) {
      const known = checkMessage(message, (this.hello as Hello).role);
      if (known.t !== "beat") this.#desk.onMessage(known as never);
      return;
    }
    const t = (message as { t?: unknown } | null)?.t;
    // The role is checked by the row of hello itself; any that may send a hello will do here.
    if (t !== "hello") throw new FlockworkError("bad_message", "The first message must be a hello.");
    const hello = checkMessage<Role>(message, "client") as Hello;
    this.hello = hello;
    this.#desk = this.#events.onHello(this, hello);
  }

  #answer(error: unknown): void {
    if (!(error instanceof FlockworkError)) {
      this.#events.onBug(error);
      error = new FlockworkError(
        "internal",
        "The hub met a bug of its own with this message; its log has the details.",
      );
    }
    const known = error as FlockworkError;
    this.#events.onBadMessage(this, known);
    if (this.#desk === undefined) this.refuse(known);
    else this.send({ t: "notice", code: known.code, message: known.message, fatal: false });
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#desk?.onClose();
  }
}
