// One frame: all messages for one peer in one tick. Bytes in, messages out; what the messages mean is messages.ts.
//
//   u32 header length (little-endian) | msgpack header: [message, ...] | padding to 8 | attachments, each padded to 8
//
// A typed array in a message travels as an attachment: the header holds an extension (type = element type, data = u32
// byte length) and attachments follow in the order in which the header names them. Because order and place are implied,
// a header can not make two messages share bytes, and its lengths must add up to the frame exactly.
import { Decoder, Encoder, ExtData, type ExtensionCodecType } from "@msgpack/msgpack";
import { FlockworkError } from "../ids/index.js";
import { checkHeader } from "./header.js";

type Attachment =
  Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array | BigInt64Array;

/** Extension type of each element type on the wire. */
const ELEMENTS = [
  { type: 1, array: Uint8Array },
  { type: 2, array: Uint16Array },
  { type: 3, array: Uint32Array },
  { type: 4, array: Int32Array },
  { type: 5, array: Float32Array },
  { type: 6, array: Float64Array },
  { type: 7, array: BigInt64Array },
] as const;

/** Most messages one frame may hold; a sender with more makes more frames. */
export const MAX_MESSAGES = 65_536;
/** Largest frame a receiver takes: the largest payload (256 MiB of text) and room for what goes with it. */
export const MAX_FRAME_BYTES = 288 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** What the codec keeps while one frame is made or read; both are synchronous, so one is enough. */
const context = {
  /** Sender: attachments so far. */
  parts: [] as Attachment[],
  /** Receiver: the frame, what of it came apart, and where the next attachment begins. */
  frame: new Uint8Array(0) as Uint8Array,
  tail: new Uint8Array(0) as Uint8Array,
  at: 0,
};

/** One extension of each type, rewritten at each use: the encoder copies it at once. By the name that arrays have of themselves. */
const extensions = new Map<string, ExtData>(
  ELEMENTS.map(({ type, array }) => [array.name, new ExtData(type, new Uint8Array(LENGTH_BYTES))]),
);

/** A Node Buffer names itself the Uint8Array it is. */
function extensionOf(part: ArrayBufferView): ExtData | undefined {
  return extensions.get((part as Attachment)[Symbol.toStringTag]);
}

/** Not the library's own codec, which asks each extension in turn about each value. */
const codec: ExtensionCodecType<undefined> = {
  tryToEncode(object) {
    if (!ArrayBuffer.isView(object)) return null;
    const extension = extensionOf(object);
    if (extension === undefined) return null;
    context.parts.push(object as Attachment);
    writeLength(extension.data as Uint8Array, object.byteLength);
    return extension;
  },
  decode(data, type) {
    const length = readLength(data);
    const { frame, tail, at } = context;
    const left = frame.length + tail.length - at;
    if (length > left) throw bad(`an attachment of ${length} bytes where ${Math.max(0, left)} are left`);
    if (at < frame.length && at + length > frame.length) throw ASTRIDE;
    context.at = align(at + length);
    // The header's check let no other types through.
    const { array } = ELEMENTS[type - 1]!;
    return at < frame.length || tail.length === 0
      ? view(array, frame, at, length)
      : view(array, tail, at - frame.length, length);
  },
};

/** Thrown where an attachment lies in both parts of a frame. */
const ASTRIDE = new Error("an attachment lies in both parts of a frame");
const EMPTY = new Uint8Array(0);
const decoder = new Decoder({ extensionCodec: codec });
/** Made anew after a large header, whose buffer it would keep. */
let encoder: Encoder | undefined;
const ENCODER_KEEPS = 1 << 20;

/**
 * Encodes messages as one frame. The bytes are a fresh array; attachments are copied once, into it. Fields that are
 * undefined are left out.
 */
export function encodeFrame(messages: readonly unknown[]): Uint8Array<ArrayBuffer> {
  return encode(messages, Infinity).frame;
}

/**
 * Encodes one message; a last attachment of many bytes is not copied but follows the frame as its tail, so it must not
 * change until both have left.
 */
export function encodeAlone(message: unknown): EncodedFrame {
  return encode([message], TAIL_BYTES);
}

export interface EncodedFrame {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly tail?: Uint8Array;
}

/** From here on a copy costs more than a second write. */
const TAIL_BYTES = 16 * 1024;

function encode(messages: readonly unknown[], tailFrom: number): EncodedFrame {
  const { header, parts, start, total: whole } = measure(messages);
  const last = parts.at(-1);
  const tail = last !== undefined && last.byteLength >= tailFrom ? bytesOf(last) : undefined;
  if (tail !== undefined) parts.pop();
  const total = tail === undefined ? whole : whole - align(tail.length);
  const frame = new Uint8Array(total);
  writeLength(frame, header.length);
  frame.set(header, LENGTH_BYTES);
  let at = start;
  for (const part of parts) {
    frame.set(bytesOf(part), at);
    at += align(part.byteLength);
  }
  return { frame, ...(tail && { tail }) };
}

/** The same frame in pieces, to be written one after the other: the attachments are those of the messages, not copies. */
export function encodeFrameParts(messages: readonly unknown[]): Uint8Array[] {
  const { header, parts, start } = measure(messages);
  const head = new Uint8Array(start);
  writeLength(head, header.length);
  head.set(header, LENGTH_BYTES);
  const pieces: Uint8Array[] = [head];
  for (const part of parts) {
    const padding = align(part.byteLength) - part.byteLength;
    pieces.push(bytesOf(part));
    if (padding > 0) pieces.push(new Uint8Array(padding));
  }
  return pieces;
}

/** The header, the attachments, and where they lie. */
function measure(messages: readonly unknown[]): {
  header: Uint8Array;
  parts: Attachment[];
  start: number;
  total: number;
} {
  const parts: Attachment[] = [];
  context.parts = parts;
  encoder ??= new Encoder({ extensionCodec: codec, ignoreUndefined: true });
  const header = encoder.encodeSharedRef(messages);
  if (header.length > ENCODER_KEEPS) encoder = undefined;
  context.parts = [];
  const start = align(LENGTH_BYTES + header.length);
  let total = start;
  for (const part of parts) total += align(part.byteLength);
  return { header, parts, start, total };
}

/**
 * Decodes one frame, which may have come in two parts; they are joined unless they meet between two attachments. Byte
 * attachments are views of it; wider ones are views where it lies aligned, copies where not.
 * Throws FlockworkError `bad_message` on anything that is not exactly one frame.
 */
export function decodeFrame(frame: Uint8Array, tail: Uint8Array = EMPTY): unknown[] {
  if (frame.length < LENGTH_BYTES) {
    if (tail.length > 0) return decodeFrame(joined([frame, tail]));
    throw bad(`${frame.length} bytes`);
  }
  const length = readLength(frame);
  if (tail.length > 0 && length > frame.length - LENGTH_BYTES) return decodeFrame(joined([frame, tail]));
  if (length > frame.length - LENGTH_BYTES)
    throw bad(`a header of ${length} bytes in a frame of ${frame.length}`);
  const header = frame.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  checkHeader(header, ELEMENTS.length);
  context.frame = frame;
  context.tail = tail;
  context.at = align(LENGTH_BYTES + length);
  let messages: unknown;
  try {
    messages = decoder.decode(header);
  } catch (error) {
    if (error === ASTRIDE) return decodeFrame(joined([frame, tail]));
    if (error instanceof FlockworkError) throw error;
    throw bad(`a header that is not msgpack (${error instanceof Error ? error.message : String(error)})`);
  } finally {
    context.frame = context.tail = EMPTY;
  }
  if (!Array.isArray(messages)) throw bad("a header that is not a list of messages");
  if (messages.length > MAX_MESSAGES) throw bad(`${messages.length} messages, more than ${MAX_MESSAGES}`);
  if (context.at !== align(frame.length + tail.length))
    throw bad(`${frame.length + tail.length - context.at} bytes that no message names`);
  return messages;
}

/**
 * A message with its attachments lying in the frame that was made of it alone: what decoding would give, for nothing. Its
 * attachments must be fields of the message itself, none deeper.
 */
export function lyingIn<M extends object>(frame: Uint8Array, message: M): M {
  const lying = { ...message } as Record<string, unknown>;
  let at = align(LENGTH_BYTES + readLength(frame));
  for (const key in lying) {
    const part = lying[key];
    const extension = ArrayBuffer.isView(part) ? extensionOf(part) : undefined;
    if (extension === undefined) continue;
    const { byteLength } = part as Attachment;
    lying[key] = view(ELEMENTS[extension.type - 1]!.array, frame, at, byteLength);
    at += align(byteLength);
  }
  return lying as M;
}

/** Parts of one frame in one piece. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The next multiple of 8. */
export function align(offset: number): number {
  // The usual (offset + 7) & ~7 is negative from 2 GiB on, where a lying length could make a sum come out right.
  return offset + (-offset & 7);
}

type ArrayType = (typeof ELEMENTS)[number]["array"];

function view(array: ArrayType, frame: Uint8Array, at: number, bytes: number): Attachment {
  const width = array.BYTES_PER_ELEMENT;
  if (bytes % width !== 0) throw bad(`${bytes} bytes for elements of ${width}`);
  const from = frame.byteOffset + at;
  if (from % width === 0) return new array(frame.buffer as ArrayBuffer, from, bytes / width);
  // Not frame.slice(): on a Node Buffer that is a view.
  return new array(new Uint8Array(frame.subarray(at, at + bytes)).buffer, 0, bytes / width);
}

function bytesOf(part: Attachment): Uint8Array {
  return part instanceof Uint8Array ? part : new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

function writeLength(bytes: Uint8Array, length: number): void {
  bytes[0] = length;
  bytes[1] = length >>> 8;
  bytes[2] = length >>> 16;
  bytes[3] = length >>> 24;
}

function readLength(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
}

function bad(what: string): FlockworkError {
  return new FlockworkError("bad_message", `Not a Flockwork frame: ${what}.`);
}
