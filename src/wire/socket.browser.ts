// Sockets by the platform's own WebSocket: pages and workers.
import { joined } from "./frame.js";
import { CLOSE_NOT_BINARY, closeReason, type Dial, type Socket } from "./socket.js";

export const dial: Dial = (url) => new BrowserSocket(new WebSocket(url));

/** How often a page looks whether what it sent has left. */
const DRAIN_MS = 2;
/** What a page may close with; other codes throw there. */
const CLOSE_NORMAL = 1000;
/** What a connection reports that ended without a close frame. */
const CLOSE_ABNORMAL = 1006;

class BrowserSocket implements Socket {
  readonly #ws: WebSocket;
  readonly bytesReceived = undefined;
  #closed = false;
  onOpen?: () => void;
  onMessage?: (bytes: Uint8Array) => void;
  onClose?: (code: number, reason: string) => void;
  onError?: (error: Error) => void;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.binaryType = "arraybuffer";
    ws.onopen = () => this.onOpen?.();
    ws.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.#closed) return;
      if (data instanceof ArrayBuffer) this.onMessage?.(new Uint8Array(data));
      else this.close(CLOSE_NOT_BINARY, "binary messages only");
    };
    // A page is not told why a connection failed.
    ws.onerror = () => this.onError?.(new Error("the browser could not connect, or the connection broke"));
    ws.onclose = ({ code, reason }) => this.#ended(code, reason);
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  /** A page is not told when bytes leave. */
  drained(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  }

  send(frame: Uint8Array<ArrayBuffer>, tail?: Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(tail === undefined ? frame : joined([frame, tail]));
  }

  close(code = CLOSE_NORMAL, reason?: string): void {
    this.#ws.close(code === CLOSE_NORMAL || code >= 3000 ? code : CLOSE_NORMAL, closeReason(reason));
  }

  /** A page can only ask to close, which takes as long as a dead peer likes; for us it is closed from now on. */
  terminate(): void {
    this.#ws.close();
    queueMicrotask(() => this.#ended(CLOSE_ABNORMAL, ""));
  }

  #ended(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose?.(code, reason);
  }
}
