// Many payloads as columns: the bytes of all in one attachment, their kinds and lengths in others. A thousand small jobs cost
// one message. Hub and nodes move columns without looking inside; only whoever reads a payload decodes it.
import { FlockworkError } from "../ids/index.js";
import { align } from "./frame.js";

/** How the bytes of a payload are to be read. Numbers are the wire's. */
export const PAYLOAD_KINDS = ["bytes", "text", "json", "tensor"] as const;
export type PayloadKind = (typeof PAYLOAD_KINDS)[number];

/** One payload: its kind (index in PAYLOAD_KINDS) and bytes. */
export interface Payload {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** `kinds` and `lengths` have one entry per payload; payload i starts in `data` at a multiple of 8. */
export interface PayloadColumns {
  readonly kinds: Uint8Array;
  readonly lengths: Uint32Array;
  readonly data: Uint8Array;
}

export function packPayloads(payloads: readonly Payload[]): PayloadColumns {
  const n = payloads.length;
  const kinds = new Uint8Array(n);
  const lengths = new Uint32Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const { kind, bytes } = payloads[i]!;
    kinds[i] = kind;
    lengths[i] = bytes.length;
    total += align(bytes.length);
  }
  const data = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < n; i++) {
    const { bytes } = payloads[i]!;
    data.set(bytes, at);
    at += align(bytes.length);
  }
  return { kinds, lengths, data };
}

/** The payloads of columns, as views of `data`. Throws `bad_message` when the columns do not fit each other. */
export function unpackPayloads({ kinds, lengths, data }: PayloadColumns): Payload[] {
  checkPayloads({ kinds, lengths, data });
  const out = new Array<Payload>(lengths.length);
  let at = 0;
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i]!;
    out[i] = { kind: kinds[i]!, bytes: data.subarray(at, at + length) };
    at += align(length);
  }
  return out;
}

/** Throws `bad_message` unless kinds, lengths and data agree. */
export function checkPayloads(columns: PayloadColumns): void {
  const fault = payloadsFault(columns);
  if (fault !== undefined) throw new FlockworkError("bad_message", fault);
}

/** What is wrong with columns that do not fit each other. */
export function payloadsFault({ kinds, lengths, data }: PayloadColumns): string | undefined {
  if (kinds.length !== lengths.length) return `${kinds.length} payload kinds but ${lengths.length} lengths.`;
  let total = 0;
  for (let i = 0; i < lengths.length; i++) {
    total += align(lengths[i]!);
    if (kinds[i]! >= PAYLOAD_KINDS.length) return `Payload kind ${kinds[i]} is not known.`;
  }
  if (total !== data.length) return `Payloads need ${total} bytes, the message holds ${data.length}.`;
  return undefined;
}
