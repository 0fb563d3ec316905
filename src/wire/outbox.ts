// All messages for one peer in one tick become one frame here. It knows no socket: frames go to the function it was given.
import { encodeAlone, encodeFrame, MAX_MESSAGES } from "./frame.js";
import { onTickEnd } from "./tick.js";

/** Bytes after which a frame goes out within the tick, so that one tick's work does not make one giant frame. */
export const FRAME_TARGET_BYTES = 4 * 1024 * 1024;
/** How long a message that nobody waits for may wait for company. */
const LINGER_MS = 2;
/** What a value costs in a header, roughly and at least; it bounds how many values one frame names. */
const VALUE_BYTES = 16;

/**
 * Collects messages for one peer and sends them as one frame at the end of the tick. Order is kept. The messages' arrays
 * are read when the frame is made: leave them alone until then.
 */
export class Outbox<M extends object = object> {
  readonly #send: (frame: Uint8Array<ArrayBuffer>, tail?: Uint8Array) => void;
  #messages: M[] = [];
  #bytes = 0;
  #scheduled = false;
  #lingering = false;

  /** `send` gets the bytes of a large last attachment as a tail of their own. */
  constructor(send: (frame: Uint8Array<ArrayBuffer>, tail?: Uint8Array) => void) {
    this.#send = send;
  }

  /** Messages that wait for the end of the tick. */
  get size(): number {
    return this.#messages.length;
  }

  push(message: M): void {
    const bytes = weight(message);
    if (this.#messages.length > 0 && this.#bytes + bytes > FRAME_TARGET_BYTES) this.flush();
    this.#messages.push(message);
    this.#bytes += bytes;
    if (this.#messages.length === MAX_MESSAGES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      onTickEnd(this.#tickEnd);
    }
  }

  /**
   * Like push, but the message may wait for another that goes to the same peer, LINGER_MS at most: for confirmations that
   * nobody waits for, which would cost a frame each.
   */
  pushLater(message: M): void {
    const scheduled = this.#scheduled;
    this.#scheduled = true;
    this.push(message);
    this.#scheduled = scheduled;
    if (this.#lingering || this.#messages.length === 0) return;
    this.#lingering = true;
    setTimeout(this.#lingerEnd, LINGER_MS);
  }

  /** Sends what waits, then this message in a frame of its own. Its last array must not change until it has left. */
  sendAlone(message: M): void {
    this.flush();
    const { frame, tail } = encodeAlone(message);
    this.#send(frame, tail);
  }

  /** Sends what waits, now. */
  flush(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.clear();
    this.#send(encodeFrame(messages));
  }

  /** Forgets what waits. */
  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }

  readonly #lingerEnd = () => {
    this.#lingering = false;
    this.flush();
  };

  readonly #tickEnd = () => {
    this.#scheduled = false;
    this.flush();
  };
}

/** About how many bytes a value takes in a frame. */
function weight(value: unknown): number {
  if (typeof value === "string") return VALUE_BYTES + value.length;
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  if (ArrayBuffer.isView(value)) return VALUE_BYTES + value.byteLength;
  let bytes = VALUE_BYTES;
  for (const key in value) bytes += weight((value as Record<string, unknown>)[key]);
  return bytes;
}
