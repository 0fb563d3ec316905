// What users see of a payload: bytes, text, JSON or a tensor, decoded only when asked for. Jobs and solutions are contents.
import { FlockworkError } from "../ids/index.js";
import { decodeTensor, encodeTensor, Tensor } from "../tensor/index.js";
import { PAYLOAD_KINDS, type Payload, type PayloadKind } from "./payloads.js";

/** What a job or a solution may be: a Uint8Array (bytes), a string (text), a Tensor, or any value JSON can hold. */
export type ContentValue = Uint8Array | string | Tensor | JsonValue;
export type JsonValue =
  null | boolean | number | JsonValue[] | readonly JsonValue[] | { [key: string]: JsonValue };

/** The most bytes one payload may have. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

const BYTES = PAYLOAD_KINDS.indexOf("bytes");
const TEXT = PAYLOAD_KINDS.indexOf("text");
const JSON_TEXT = PAYLOAD_KINDS.indexOf("json");
const TENSOR = PAYLOAD_KINDS.indexOf("tensor");

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** Encodes a value as a payload. Throws `bad_argument` for what is none of the four kinds, `too_large` past 64 MiB. */
export function encodeContent(value: unknown): Payload {
  const payload = encode(value);
  if (payload.bytes.length > MAX_PAYLOAD_BYTES)
    throw new FlockworkError(
      "too_large",
      `A payload of ${payload.bytes.length} bytes is over the limit of ${MAX_PAYLOAD_BYTES} (64 MiB); split it into several jobs.`,
    );
  return payload;
}

function encode(value: unknown): Payload {
  if (typeof value === "string") return { kind: TEXT, bytes: utf8.encode(value) };
  if (value instanceof Uint8Array) return { kind: BYTES, bytes: value };
  if (value instanceof Tensor) return { kind: TENSOR, bytes: encodeTensor(value) };
  if (value instanceof Content) return { kind: PAYLOAD_KINDS.indexOf(value.kind), bytes: value.bytes() };
  if (value === undefined) return { kind: JSON_TEXT, bytes: utf8.encode("null") };
  if (value instanceof ArrayBuffer) return { kind: BYTES, bytes: new Uint8Array(value) };
  let json: string | undefined;
  try {
    json = ArrayBuffer.isView(value) ? undefined : JSON.stringify(value);
  } catch (error) {
    throw new FlockworkError(
      "bad_argument",
      `This value can not travel: ${String(error)}. Send bytes, text, JSON or a Tensor.`,
    );
  }
  if (json === undefined)
    throw new FlockworkError(
      "bad_argument",
      `A ${Object.prototype.toString.call(value).slice(8, -1)} can not travel: send bytes (Uint8Array), text, JSON or a Tensor.`,
    );
  return { kind: JSON_TEXT, bytes: utf8.encode(json) };
}

/** Something that arrived. Each reader decodes anew; a mismatch of kind is a FlockworkError `bad_argument`. */
export class Content {
  readonly #payload: Payload;

  constructor(payload: Payload) {
    this.#payload = payload;
  }

  get kind(): PayloadKind {
    return PAYLOAD_KINDS[this.#payload.kind] ?? "bytes";
  }

  /** Length in bytes. */
  get size(): number {
    return this.#payload.bytes.length;
  }

  /** The raw bytes: a view that may share memory with other payloads of the same frame; copy what you change. */
  bytes(): Uint8Array {
    return this.#payload.bytes;
  }

  /** The payload as UTF-8 text (JSON too). */
  text(): string {
    if (this.#payload.kind === TENSOR) throw this.#mismatch("text");
    return fromUtf8.decode(this.#payload.bytes);
  }

  /** The parsed JSON of a json or text payload. */
  json(): unknown {
    if (this.#payload.kind === TENSOR || this.#payload.kind === BYTES) throw this.#mismatch("JSON");
    return JSON.parse(this.text());
  }

  /** The tensor of a tensor payload. */
  tensor(): Tensor {
    if (this.#payload.kind !== TENSOR) throw this.#mismatch("a tensor");
    return decodeTensor(this.#payload.bytes);
  }

  /** Whatever it is, as its own JavaScript value: Uint8Array, string, JSON value or Tensor. */
  value(): unknown {
    switch (this.kind) {
      case "bytes":
        return this.bytes();
      case "text":
        return this.text();
      case "json":
        return this.json();
      case "tensor":
        return this.tensor();
      default:
        return this.kind satisfies never;
    }
  }

  #mismatch(wanted: string): FlockworkError {
    return new FlockworkError(
      "bad_argument",
      `This payload is ${this.kind}, not ${wanted}; read it with .${this.kind}().`,
    );
  }
}
