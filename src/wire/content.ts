// What users see of a payload: bytes, text, JSON or a tensor, decoded only when asked for. Jobs and solutions are contents.
import { FlockworkError } from "../ids/index.js";
import { decodeTensor, encodeTensor, Tensor } from "../tensor/index.js";
import { CHUNK_BYTES } from "./chunk-memory.js";
import { readStream } from "./stream.js";
import { PAYLOAD_KINDS, type Payload, type PayloadKind } from "./payloads.js";

/** What a job or a solution may be: a Uint8Array (bytes), a string (text), a Tensor, or any value JSON can hold. */
export type ContentValue = Uint8Array | string | Tensor | JsonValue;
export type JsonValue =
  null | boolean | number | JsonValue[] | readonly JsonValue[] | { [key: string]: JsonValue };

/** The most bytes of a payload, by kind: text and JSON become strings, which have their own limit. */
const LIMITS: { readonly [kind in PayloadKind]: number } = {
  bytes: 1024 ** 3,
  tensor: 1024 ** 3,
  text: 256 * 1024 ** 2,
  json: 256 * 1024 ** 2,
};

const BYTES = PAYLOAD_KINDS.indexOf("bytes");
const TEXT = PAYLOAD_KINDS.indexOf("text");
const JSON_TEXT = PAYLOAD_KINDS.indexOf("json");
const TENSOR = PAYLOAD_KINDS.indexOf("tensor");

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** Encodes a value as a payload. Throws `bad_argument` for what is none of the four kinds, `too_large` past its limit. */
export function encodeContent(value: unknown): Payload {
  const payload = encode(value);
  checkSize(payload.kind, payload.bytes.length);
  return payload;
}

/** Throws `too_large` for a payload of this kind that has more bytes than it may. */
export function checkSize(kind: number, bytes: number): void {
  const name = PAYLOAD_KINDS[kind] ?? "bytes";
  if (bytes > LIMITS[name])
    throw new FlockworkError(
      "too_large",
      `A payload of ${bytes} bytes of ${name} is over the limit of ${LIMITS[name]} (${LIMITS[name] / 2 ** 20} MiB); split it into several jobs.`,
    );
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

/** A payload that is not here yet. */
export interface RemotePayload {
  readonly kind: number;
  readonly size: number;
  /** Its bytes, from the beginning, as they come. */
  open(): AsyncIterable<Uint8Array>;
}

/** Something that arrived. Each reader decodes anew; a mismatch of kind is a FlockworkError `bad_argument`. */
export class Content {
  #payload: Payload | RemotePayload;

  constructor(payload: Payload | RemotePayload) {
    this.#payload = payload;
  }

  get kind(): PayloadKind {
    return PAYLOAD_KINDS[this.#payload.kind] ?? "bytes";
  }

  /** Length in bytes. */
  get size(): number {
    return "size" in this.#payload ? this.#payload.size : this.#payload.bytes.length;
  }

  /** Whether it is all here: only then the readers besides stream() work. */
  get loaded(): boolean {
    return !("size" in this.#payload);
  }

  /** Its bytes as they come; for what is large. */
  async *stream(): AsyncGenerator<Uint8Array, void> {
    const payload = this.#payload;
    if ("size" in payload) yield* payload.open();
    else
      for (let at = 0; at < payload.bytes.length; at += CHUNK_BYTES)
        yield payload.bytes.subarray(at, at + CHUNK_BYTES);
  }

  /** Brings all of it here, into memory. */
  async load(): Promise<this> {
    const payload = this.#payload;
    if ("size" in payload)
      this.#payload = { kind: payload.kind, bytes: await readStream(payload.open(), payload.size) };
    return this;
  }

  /** The raw bytes: a view that may share memory with other payloads of the same frame; copy what you change. */
  bytes(): Uint8Array {
    const payload = this.#payload;
    if ("size" in payload)
      throw new FlockworkError(
        "too_large",
        `These ${payload.size} bytes are not in memory: read them with .stream(), or \`await .load()\` first.`,
      );
    return payload.bytes;
  }

  /** The payload as UTF-8 text (JSON too). */
  text(): string {
    if (this.#payload.kind === TENSOR) throw this.#mismatch("text");
    return fromUtf8.decode(this.bytes());
  }

  /** The parsed JSON of a json or text payload. */
  json(): unknown {
    if (this.#payload.kind === TENSOR || this.#payload.kind === BYTES) throw this.#mismatch("JSON");
    return JSON.parse(this.text());
  }

  /** The tensor of a tensor payload. */
  tensor(): Tensor {
    if (this.#payload.kind !== TENSOR) throw this.#mismatch("a tensor");
    return decodeTensor(this.bytes());
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
