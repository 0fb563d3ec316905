// What the link needs of a WebSocket, small enough that both runtimes fit: socket.node.ts and socket.browser.ts make one.

export interface Socket {
  /** Sends one frame, of one part or two. A socket that is not open (any more) drops it. The tail must not change until it has left. */
  send(frame: Uint8Array<ArrayBuffer>, tail?: Uint8Array): void;
  /** Says goodbye on the level of WebSocket, after all that was sent. */
  close(code?: number, reason?: string): void;
  /** Cuts the connection at once; `onClose` follows. */
  terminate(): void;
  /** Bytes that were sent but have not left this process. */
  readonly bufferedAmount: number;
  /** Resolves when some of them may have left, or the connection has closed. */
  drained(): Promise<void>;
  /** Bytes that have arrived, those of unfinished frames included; undefined where the platform does not tell. */
  readonly bytesReceived: number | undefined;
  onOpen?: () => void;
  /** One frame, in one part or two as it was sent. Its memory may be shared with others: copy what is to be kept. */
  onMessage?: (bytes: Uint8Array, tail?: Uint8Array) => void;
  /** Once, after the last message, however the connection ended. */
  onClose?: (code: number, reason: string) => void;
  /** Why it is about to close, where that is known. */
  onError?: (error: Error) => void;
}

/** Opens a connection. Throws only on an address that can not be one. */
export type Dial = (url: string) => Socket;

/** Close code for a text message: the protocol is binary. */
export const CLOSE_NOT_BINARY = 1003;

/** A close reason may have 123 bytes of UTF-8; a longer one would throw. */
export function closeReason(reason: string | undefined): string {
  const bytes = new TextEncoder().encode(reason ?? "");
  return bytes.length <= 123
    ? (reason ?? "")
    : new TextDecoder().decode(bytes.subarray(0, 120)).replace(/\uFFFD+$/, "");
}
