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
  makeNonce,
  PROTOCOL_VERSION,
  type Role,
} from "../wire/index.js";
import { partsOf, sendParts, strainFrames, type PlainRoad } from "../wire/socket.node.js";
import type { Bearer } from "./gate.js";
import type { HubLimits } from "./limits.js";
import { Rate } from "./rate.js";
import { SOFTWARE } from "./version.js";

export type Hello = MessageOf<"hello">;

export interface PeerEvents {
  /** Returns what is to be done with this peer's further messages, or throws a FlockworkError that refuses it. */
  onHello(peer: Peer, hello: Hello): { onMessage(message: never): void; onClose(): void };
  /** A message or frame that does not fit; it has been answered and cost only itself. */
  onBadMessage(peer: Peer, error: FlockworkError): void;
  onBug(error: unknown): void;
}

/** What a browser says for a page that is closed, or goes elsewhere (RFC 6455, 7.4.1). */
const GOING_AWAY = 1001;
/** How long a refused peer may take to close its side. */
const CLOSE_MS = 1000;

/** What a WebSocket runs over. */
export interface Connection {
  readonly net: Socket;
  /** How its bytes come, where they can come without buffers of their own. */
  readonly road?: PlainRoad;
}

export class Peer {
  hello: Hello | undefined = undefined;
  /** Who it is, once it has said hello. */
  bearer: Bearer | undefined = undefined;
  /** What its hello must prove a token over. */
  readonly nonce = makeNonce();
  /** It closed because its page is gone: nobody will come back as this one. */
  hasLeft = false;
  framesIn = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly #socket: WebSocket;
  readonly #net: Socket;
  #heardBytes = 0;
  #heardAt: number;
  readonly #events: PeerEvents;
  readonly #outbox: Outbox<Message>;
  readonly #limits: HubLimits;
  readonly #rate: Rate;
  readonly #badRate: Rate;
  /** Bytes that had come when the last frame was complete. */
  #framedBytes = 0;
  /** How many bytes this peer had taken, and since when it has taken no more. */
  #taken = { bytes: 0, at: 0 };
  #desk: ReturnType<PeerEvents["onHello"]> | undefined = undefined;
  #closed = false;
  #draining: (() => void)[] = [];
  /** Frames that were given to the socket, and those that have left it; who waits for which of them. */
  #sends = 0;
  #left = 0;
  #leaving: { readonly send: number; readonly resolve: () => void }[] = [];
  /** What comes after a refusal is not looked at any more. */
  #deaf = false;

  constructor(socket: WebSocket, { net, road }: Connection, limits: HubLimits, events: PeerEvents) {
    this.#socket = socket;
    this.#net = net;
    this.#events = events;
    this.#heardAt = performance.now();
    this.#outbox = new Outbox((frame, tail) => {
      this.bytesOut += frame.length + (tail?.length ?? 0);
      this.#sends++;
      sendParts(socket, net, frame, tail, this.#sent);
    });
    this.#limits = limits;
    this.#rate = new Rate(limits.messagesPerSecond);
    this.#badRate = new Rate(limits.badMessagesPerSecond);
    this.send({ t: "challenge", version: PROTOCOL_VERSION, software: SOFTWARE, nonce: this.nonce });
    const late = setTimeout(() => {
      if (this.hello === undefined)
        this.refuse(new FlockworkError("bad_message", `No hello came within ${limits.helloMs} ms.`));
    }, limits.helloMs);
    socket.on("close", () => clearTimeout(late));
    socket.binaryType = "fragments";
    const message = (frame: Uint8Array, tail?: Uint8Array) => {
      // What of the next frame came along with the end of this one counts for it only roughly.
      this.#framedBytes = net.bytesRead;
      this.#receive(frame, tail);
    };
    socket.on("message", (data) => message(...partsOf(data)));
    strainFrames(socket, net, {
      side: "server",
      maxPayload: limits.frameBytes,
      road,
      message,
      arrived: this.#boundHello(),
    });
    socket.on("close", (code: number) => {
      this.hasLeft = code === GOING_AWAY;
      this.#close();
    });
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

  /** Bytes of a frame that has begun to come and is not complete. */
  get unfinishedBytes(): number {
    return this.#net.bytesRead - this.#framedBytes;
  }

  /** Whether much waits here for a peer that has taken none of it for a while. */
  stalled(now: number): boolean {
    const bytes = this.#net.bytesWritten - this.#socket.bufferedAmount;
    if (this.bufferedAmount < this.#limits.unreadBytes || bytes !== this.#taken.bytes) {
      this.#taken = { bytes, at: now };
      return false;
    }
    return now - this.#taken.at > this.#limits.unreadMs;
  }

  /** Gives the peer more time: this process was held up itself. */
  forgive(ms: number): void {
    this.#heardAt += ms;
    this.#taken.at += ms;
  }

  send(message: MessageFrom<"hub">): void {
    if (!this.#closed) this.#outbox.push(message);
  }

  /** Like send, for confirmations that may wait a moment for others to travel with. */
  sendLater(message: MessageFrom<"hub">): void {
    if (!this.#closed) this.#outbox.pushLater(message);
  }

  /** Sends a message at once, in a frame of its own: a large one, that others should not have to wait for. */
  sendAlone(message: MessageFrom<"hub">): void {
    if (!this.#closed) this.#outbox.sendAlone(message);
  }

  /** Bytes that have not left this process. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** Resolves when some of them may have left, or the connection has closed. */
  drained(): Promise<void> {
    if (this.#closed || this.bufferedAmount === 0) return Promise.resolve();
    return new Promise((resolve) => this.#draining.push(resolve));
  }

  /** Resolves when all that was sent so far has left, or the connection has closed: its memory is free then. */
  left(): Promise<void> {
    if (this.#closed || this.#left === this.#sends) return Promise.resolve();
    return new Promise((resolve) => this.#leaving.push({ send: this.#sends, resolve }));
  }

  /** Sends what has gathered now rather than at the end of the tick. */
  flush(): void {
    if (!this.#closed) this.#outbox.flush();
  }

  /** Tells the peer why and closes; nothing it still says counts, unless the hub only stops. */
  refuse(error: FlockworkError): void {
    if (this.#deaf) return;
    this.send({ t: "notice", code: error.code, message: error.message, fatal: true });
    this.flush();
    this.#socket.close(1008, error.code);
    if (error.code === "hub_stopping") return;
    this.#deaf = true;
    // It may not answer the close.
    const late = setTimeout(() => this.cut(), CLOSE_MS);
    this.#socket.once("close", () => clearTimeout(late));
  }

  /** Cuts the connection of a peer that has fallen silent. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Who has said nothing of themselves may not make the hub hold a large frame. */
  #boundHello(): () => void {
    const { helloBytes } = this.#limits;
    const start = this.#net.bytesRead;
    let told = false;
    return () => {
      if (told || this.hello !== undefined || this.#net.bytesRead - start <= helloBytes) return;
      told = true;
      this.#events.onBadMessage(
        this,
        new FlockworkError("too_large", `More than ${helloBytes} bytes came before a hello.`),
      );
      this.cut();
    };
  }

  #receive(bytes: Uint8Array, tail?: Uint8Array): void {
    this.framesIn++;
    this.bytesIn += bytes.length + (tail?.length ?? 0);
    if (this.#deaf) return;
    let messages: unknown[];
    try {
      messages = decodeFrame(bytes, tail);
    } catch (error) {
      this.#answer(error);
      return;
    }
    if (!this.#rate.take(messages.length, performance.now())) {
      this.refuse(
        new FlockworkError(
          "limit",
          `More than ${this.#rate.perSecond} messages a second came from this connection; gather them in fewer.`,
        ),
      );
      return;
    }
    for (const message of messages) {
      try {
        this.#take(message);
      } catch (error) {
        this.#answer(error);
      }
      if (this.#closed || this.#deaf) return;
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
    const { perSecond } = this.#badRate;
    if (this.#desk === undefined) this.refuse(known);
    else if (!this.#badRate.take(1, performance.now()))
      this.refuse(
        new FlockworkError(
          "limit",
          `More than ${perSecond} messages a second that do not fit came from this connection; the last: ${known.message}`,
        ),
      );
    else this.send({ t: "notice", code: known.code, message: known.message, fatal: false });
  }

  readonly #sent = () => {
    this.#left++;
    while (this.#leaving.length > 0 && (this.#closed || this.#leaving[0]!.send <= this.#left))
      this.#leaving.shift()!.resolve();
    if (this.#draining.length === 0) return;
    const draining = this.#draining;
    this.#draining = [];
    for (const resume of draining) resume();
  };

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sent();
    this.#desk?.onClose();
  }
}
