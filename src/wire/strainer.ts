// Takes the data frames out of a WebSocket connection's bytes, so that large ones are copied once, to where they stay, and cost
// no buffers on their way. What is rare (control frames, masks, other fragments than a sender of ours makes, faults) goes on to
// the WebSocket library as it came, whose connection then consists of just that.
import { CHUNK_BYTES } from "./chunk-memory.js";

export interface StrainerOptions {
  /** Whether frames come with a mask, as from clients. Those with another than zero go to the library. */
  readonly masked: boolean;
  /** Frames beyond go to the library, which knows what to do. */
  readonly maxBytes: number;
  /** The bytes given to `write` are only there during the call. */
  readonly transient: boolean;
  /** Memory for a payload of so many bytes. */
  take(bytes: number): Uint8Array;
  /** A binary message: in one part, or in two as it was sent. */
  message(frame: Uint8Array, tail?: Uint8Array): void;
  /** Bytes for the library, to be read during the call where `write`'s are transient, copied otherwise if they are kept. */
  pass(bytes: Uint8Array): void;
  /** The same, from where on all is the library's. */
  rest(bytes: Uint8Array): void;
}

/** Larger frames go to the library, which holds only what has come of them. */
const LARGEST = 2 * CHUNK_BYTES;
const MAX_HEADER = 14;
const CONTINUATION = 0;
const BINARY = 2;
const CLOSE = 8;
const PONG = 10;
const MAX_CONTROL = 125;

export class Strainer {
  readonly #options: StrainerOptions;
  /** A frame header that came in pieces. */
  readonly #header = new Uint8Array(MAX_HEADER);
  #headed = 0;
  /** The payload that is being filled, how far, and whether it ends its message. */
  #filling: Uint8Array | undefined = undefined;
  #filled = 0;
  #fin = false;
  /** The first part of a message whose second is awaited. */
  #first: Uint8Array | undefined = undefined;
  /** What of the present frame is the library's. */
  #passing = 0;
  /** The library has the beginning of a message, of so many bytes. */
  #theirs = false;
  #theirBytes = 0;
  /** The library gets all that follows. */
  #over = false;
  /** The present frame is the last: the library reads no further either. */
  #closing = false;
  #stopped = false;

  constructor(options: StrainerOptions) {
    this.#options = options;
  }

  /** Nothing more is looked at. */
  stop(): void {
    this.#stopped = true;
  }

  write(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#stopped) {
      if (this.#over) {
        this.#options.rest(bytes.subarray(at));
        return;
      }
      if (this.#passing > 0) {
        const part = bytes.subarray(at, at + this.#passing);
        this.#passing -= part.length;
        at += part.length;
        this.#options.pass(part);
        if (this.#closing && this.#passing === 0) this.stop();
      } else if (this.#filling !== undefined) {
        const part = bytes.subarray(at, at + this.#filling.length - this.#filled);
        this.#filling.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
        if (this.#filled === this.#filling.length) this.#complete(this.#filling);
      } else at = this.#begin(bytes, at);
    }
  }

  /** Reads a frame's header. Returns where its payload begins. */
  #begin(bytes: Uint8Array, at: number): number {
    // Most headers lie in one piece.
    if (this.#headed === 0) {
      const size = headerSize(bytes, at);
      if (size <= bytes.length - at) return this.#frame(bytes, at, size, bytes);
    }
    let next = at;
    while (next < bytes.length && (this.#headed < 2 || this.#headed < headerSize(this.#header, 0)))
      this.#header[this.#headed++] = bytes[next++]!;
    const size = headerSize(this.#header, 0);
    if (this.#headed < size) return next;
    this.#headed = 0;
    const rest = bytes.subarray(next);
    return next + this.#frame(this.#header, 0, size, rest, 0);
  }

  /** A frame whose header is whole; its payload begins in `data` at `from`. Returns how far `data` has been used. */
  #frame(head: Uint8Array, at: number, size: number, data: Uint8Array, from = at + size): number {
    const { masked, maxBytes, transient } = this.#options;
    const first = head[at]!;
    const opcode = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    const length = payloadLength(head, at);
    const plain =
      (first & 0x70) === 0 &&
      ((head[at + 1]! & 0x80) !== 0) === masked &&
      (!masked || isZero(head, at + size - 4));
    const control = opcode >= CLOSE;
    const begun = this.#theirs || this.#first !== undefined;
    const before = this.#theirs ? this.#theirBytes : (this.#first?.length ?? 0);
    const sound =
      plain &&
      (control
        ? fin && length <= MAX_CONTROL && opcode <= PONG
        : opcode === (begun ? CONTINUATION : BINARY) && before + length <= maxBytes);
    const taken = sound && !control && !this.#theirs && length <= LARGEST && (fin || !begun);
    if (taken) {
      this.#fin = fin;
      if (length <= data.length - from) {
        const payload = data.subarray(from, from + length);
        this.#complete(transient ? this.#copy(payload) : payload);
        return from + length;
      }
      this.#filling = this.#options.take(length);
      this.#filled = 0;
      return from;
    }
    if (!sound || !control) this.#giveFirst();
    // After a fault nothing more is to be taken, nor from a page, which masks all it sends.
    if (!sound) this.#over = true;
    else if (opcode === CLOSE) this.#closing = true;
    else if (!control) {
      this.#theirs = !fin;
      this.#theirBytes = before + length;
    }
    this.#passing = length;
    this.#options.pass(Uint8Array.prototype.slice.call(head, at, at + size));
    if (this.#closing && length === 0) this.stop();
    return from;
  }

  #copy(payload: Uint8Array): Uint8Array {
    const copy = this.#options.take(payload.length);
    copy.set(payload);
    return copy;
  }

  #complete(payload: Uint8Array): void {
    this.#filling = undefined;
    const first = this.#first;
    this.#first = undefined;
    if (!this.#fin) this.#first = payload;
    else if (first === undefined) this.#options.message(payload);
    else this.#options.message(first, payload);
  }

  /** The library gets the first part of a message too, as it came. */
  #giveFirst(): void {
    const first = this.#first;
    if (first === undefined) return;
    this.#first = undefined;
    this.#options.pass(frameHeader(first.length, this.#options.masked));
    if (first.length > 0) this.#options.pass(first);
  }
}

/** Bytes of a frame's header as far as its first two tell; one that needs more than there are is longer than them. */
function headerSize(bytes: Uint8Array, at: number): number {
  const second = bytes[at + 1];
  if (second === undefined) return MAX_HEADER + 1;
  const length = second & 0x7f;
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
}

function payloadLength(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1]! & 0x7f;
  if (length < 126) return length;
  let value = 0;
  for (let i = 2; i < (length === 126 ? 4 : 10); i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function isZero(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) === 0;
}

/** The header of a first fragment, with a mask of zero. */
function frameHeader(length: number, masked: boolean): Uint8Array {
  const header = [BINARY];
  const mask = masked ? 0x80 : 0;
  if (length < 126) header.push(mask | length);
  else if (length < 65_536) header.push(mask | 126, length >> 8, length & 255);
  else
    header.push(
      mask | 127,
      0,
      0,
      0,
      0,
      length >>> 24,
      (length >> 16) & 255,
      (length >> 8) & 255,
      length & 255,
    );
  if (masked) header.push(0, 0, 0, 0);
  return Uint8Array.from(header);
}
