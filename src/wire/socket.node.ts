// Sockets by `ws`: `dial` for whoever connects, `adoptSocket` for connections that a server accepted.
import { connect, Socket as NetSocket, type NetConnectOpts, type SocketConstructorOpts } from "node:net";
import { rootCertificates, TLSSocket } from "node:tls";
import { WebSocket, type RawData } from "ws";
import { borrowChunk, CHUNK_BYTES } from "./chunk-memory.js";
import { joined, MAX_FRAME_BYTES } from "./frame.js";
import { CLOSE_NOT_BINARY, closeReason, type Dial, type Socket } from "./socket.js";
import { Strainer } from "./strainer.js";

export interface DialOptions {
  /** Largest frame that is accepted. */
  readonly maxPayload?: number;
  /** How long TCP, TLS and the upgrade may take together. */
  readonly handshakeTimeoutMs?: number;
  /** Certificates to trust besides the system's, as PEM text: for a hub whose certificate is its own. */
  readonly ca?: string | undefined;
}

/** A `dial` with other limits. */
export function dialWith({ maxPayload = MAX_FRAME_BYTES, handshakeTimeoutMs = 5000, ca }: DialOptions): Dial {
  return (url) => {
    const road = url.startsWith("ws:") ? new PlainRoad() : undefined;
    const ws = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: handshakeTimeoutMs,
      maxPayload,
      skipUTF8Validation: true,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
      ...(isPrivatePath(url) ? { generateMask: zeroMask } : {}),
      ...(road && { createConnection: road.connect }),
    });
    const socket = new NodeSocket(ws);
    ws.once("upgrade", (response) => socket.watch(response.socket));
    ws.once("open", () => socket.strain(maxPayload, road));
    return socket;
  };
}

export const dial: Dial = dialWith({});

/** Wraps a connection that a `ws` server accepted; `net` is its request's socket. */
export function adoptSocket(ws: WebSocket, net?: NetSocket): Socket {
  const socket = new NodeSocket(ws);
  if (net) socket.watch(net);
  return socket;
}

/**
 * Masking guards proxies against what a page makes a browser send. Where no proxy can see the bytes (loopback, TLS) the
 * zero mask saves a pass over them on both sides.
 */
function isPrivatePath(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    protocol === "wss:" ||
    hostname === "localhost" ||
    hostname === "[::1]" ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}

function zeroMask(mask: Buffer): void {
  mask.fill(0);
}

/** What every plain connection of this process is read into, one read after the other. */
let readBuffer: Uint8Array | undefined;
const READ_BYTES = 256 * 1024;

/** A connection whose bytes are read into the same memory again and again, so that they cost no buffers. */
export class PlainRoad {
  /** Takes what was read once the connection is a WebSocket's; the bytes are there only during the call. */
  write: ((bytes: Uint8Array) => void) | undefined = undefined;
  #net: NetSocket | undefined = undefined;

  readonly connect = (options: object): NetSocket =>
    (this.#net = connect({ ...options, onread: this.#onread() } as NetConnectOpts));

  /**
   * Goes on with a connection that a server accepted, on a socket of its own; the accepted one is left without. Undefined where
   * that can not be, as with TLS.
   */
  adopt(accepted: NetSocket): NetSocket | undefined {
    // Node has no other way to say where an accepted connection is read to.
    const held = accepted as NetSocket & { _handle: { useUserBuffer?: unknown } | null };
    const handle = held._handle;
    if (accepted instanceof TLSSocket || accepted.readableLength > 0) return undefined;
    if (typeof handle?.useUserBuffer !== "function") return undefined;
    const net = new NetSocket({ handle, onread: this.#onread() } as SocketConstructorOpts);
    held._handle = null;
    net.on("error", () => net.destroy());
    net.once("close", () => accepted.destroy());
    return (this.#net = net);
  }

  #onread() {
    return {
      buffer: (readBuffer ??= new Uint8Array(READ_BYTES)),
      callback: (count: number, buffer: Uint8Array): boolean => {
        const bytes = buffer.subarray(0, count);
        const net = this.#net;
        // What lies in the stream came before.
        if (net !== undefined && (this.write === undefined || net.readableLength > 0))
          return net.push(Buffer.from(bytes));
        this.write?.(bytes);
        return true;
      },
    };
  }
}

/** Memory for what is received. */
function receiveBuffer(bytes: number): Uint8Array {
  if (bytes === CHUNK_BYTES) return borrowChunk(newChunk);
  return bytes < POOLED_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
}

/** Smaller ones share memory. */
const POOLED_BYTES = 4096;

function newChunk(): Uint8Array<ArrayBuffer> {
  const { buffer } = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  return new Uint8Array(buffer as ArrayBuffer);
}

export interface FramesOptions {
  readonly side: "server" | "client";
  readonly maxPayload: number;
  /** The road that its bytes come by, where that is one. */
  readonly road?: PlainRoad | undefined;
  message(frame: Uint8Array, tail?: Uint8Array): void;
  /** Called after each read, whatever it brought. */
  arrived?(): void;
}

/** Takes the binary messages of an open connection past the library, which would copy them more often. */
export function strainFrames(ws: WebSocket, net: NetSocket, options: FramesOptions): void {
  const { side, maxPayload, road, message } = options;
  const transient = road !== undefined;
  const theirs = net.listeners("data") as ((bytes: Buffer) => void)[];
  const strainer = new Strainer({
    masked: side === "server",
    maxBytes: maxPayload,
    transient,
    take: receiveBuffer,
    message,
    pass: (bytes) => {
      const passed = transient
        ? Buffer.from(bytes)
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      for (const listener of theirs) listener.call(net, passed);
    },
    rest: (bytes) => {
      // The library listens for itself again, and stops by itself.
      net.off("data", write);
      if (options.arrived) net.on("data", options.arrived);
      for (const listener of theirs) net.on("data", listener);
      if (road !== undefined) road.write = undefined;
      net.push(Buffer.from(bytes));
    },
  });
  const write = (bytes: Uint8Array) => {
    strainer.write(bytes);
    options.arrived?.();
  };
  ws.once("error", () => strainer.stop());
  for (const listener of theirs) net.off("data", listener);
  net.on("data", write);
  if (road !== undefined) road.write = write;
}

/** A message as `ws` gives it with `binaryType` "fragments": a frame of one part or two, however it was cut on its way. */
export function partsOf(data: RawData): [frame: Uint8Array, tail?: Uint8Array] {
  const parts = data as Buffer[];
  return parts.length === 1 ? [parts[0]!] : parts.length === 2 ? [parts[0]!, parts[1]!] : [joined(parts)];
}

/** Sends a frame as one message: of two fragments where it has a tail, which spares a copy on both sides. */
export function sendParts(
  ws: WebSocket,
  net: NetSocket | undefined,
  frame: Uint8Array,
  tail: Uint8Array | undefined,
  sent: () => void,
): void {
  if (tail === undefined) {
    ws.send(frame, sent);
    return;
  }
  net?.cork();
  ws.send(frame, { fin: false });
  ws.send(tail, { fin: true }, sent);
  net?.uncork();
}

class NodeSocket implements Socket {
  readonly #ws: WebSocket;
  #net: NetSocket | undefined;
  #draining: (() => void)[] = [];
  onOpen?: () => void;
  onMessage?: (bytes: Uint8Array, tail?: Uint8Array) => void;
  onClose?: (code: number, reason: string) => void;
  onError?: (error: Error) => void;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.binaryType = "fragments";
    ws.on("open", () => this.onOpen?.());
    ws.on("error", (error) => this.onError?.(error));
    ws.on("close", (code, reason) => {
      this.#sent();
      this.onClose?.(code, reason.toString());
    });
    ws.on("message", (data: RawData, binary) => {
      if (binary) this.onMessage?.(...partsOf(data));
      else this.close(CLOSE_NOT_BINARY, "binary messages only");
    });
  }

  /** A send that fails is followed by "error" and "close", which say it better. */
  readonly #sent = () => {
    if (this.#draining.length === 0) return;
    const draining = this.#draining;
    this.#draining = [];
    for (const resume of draining) resume();
  };

  watch(net: NetSocket): void {
    this.#net = net;
  }

  /** Once it is open, and before anything has come. */
  strain(maxPayload: number, road?: PlainRoad): void {
    if (this.#net === undefined) return;
    strainFrames(this.#ws, this.#net, {
      side: "client",
      maxPayload,
      road,
      message: (frame, tail) => this.onMessage?.(frame, tail),
    });
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  get bytesReceived(): number | undefined {
    return this.#net?.bytesRead;
  }

  send(frame: Uint8Array<ArrayBuffer>, tail?: Uint8Array): void {
    if (this.#ws.readyState === WebSocket.OPEN) sendParts(this.#ws, this.#net, frame, tail, this.#sent);
  }

  drained(): Promise<void> {
    if (this.#ws.readyState !== WebSocket.OPEN || this.#ws.bufferedAmount === 0) return Promise.resolve();
    return new Promise((resolve) => this.#draining.push(resolve));
  }

  close(code?: number, reason?: string): void {
    this.#ws.close(code ?? 1000, closeReason(reason));
  }

  terminate(): void {
    this.#ws.terminate();
  }
}
