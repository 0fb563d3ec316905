// Sockets by `ws`: `dial` for whoever connects, `adoptSocket` for connections that a server accepted.
import type { Socket as NetSocket } from "node:net";
import { rootCertificates } from "node:tls";
import { WebSocket, type RawData } from "ws";
import { joined, MAX_FRAME_BYTES } from "./frame.js";
import { CLOSE_NOT_BINARY, closeReason, type Dial, type Socket } from "./socket.js";

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
    const ws = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: handshakeTimeoutMs,
      maxPayload,
      skipUTF8Validation: true,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
      ...(isPrivatePath(url) ? { generateMask: zeroMask } : {}),
    });
    const socket = new NodeSocket(ws);
    ws.once("upgrade", (response) => socket.watch(response.socket));
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
