// Moving payloads from segments into the columns of a message: neighbours in a segment are copied in one piece.
import { align, type PayloadColumns } from "../wire/index.js";
import type { Segment } from "./jobs.js";

/** Where one payload lies: in a segment, or read back from a blob. */
export type PayloadSource =
  | { readonly segment: Segment; readonly index: number }
  | {
      readonly segment?: undefined;
      readonly index?: undefined;
      readonly bytes: Uint8Array;
      readonly kind: number;
    };

/** Gathers payloads into fresh columns. Payloads that lie in blobs must have been read before. */
export function gather(sources: readonly PayloadSource[]): PayloadColumns {
  const n = sources.length;
  const kinds = new Uint8Array(n);
  const lengths = new Uint32Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const source = sources[i]!;
    if (source.segment) {
      const columns = payloadsOf(source.segment);
      kinds[i] = columns.kinds[source.index]!;
      lengths[i] = columns.lengths[source.index]!;
    } else {
      kinds[i] = source.kind;
      lengths[i] = source.bytes.length;
    }
    total += align(lengths[i]!);
  }
  const data = new Uint8Array(total);
  for (let i = 0, at = 0; i < n;) {
    const source = sources[i]!;
    if (!source.segment) {
      data.set(source.bytes, at);
      at += align(lengths[i++]!);
      continue;
    }
    const { segment, index } = source;
    let last = index;
    i++;
    for (; i < n && sources[i]!.segment === segment && sources[i]!.index === last + 1; i++) last++;
    const from = segment.offsets[index]!;
    const columns = payloadsOf(segment);
    const to = segment.offsets[last]! + align(columns.lengths[last]!);
    data.set(columns.data.subarray(from, to), at);
    at += to - from;
  }
  return { kinds, lengths, data };
}

export function payloadsOf(segment: Segment): PayloadColumns {
  if (segment.record.k === "unsolved") throw new Error("an unsolved job has no payload");
  return segment.record;
}

/** One payload of a segment as a view of its bytes. */
export function payloadAt(segment: Segment, index: number): { kind: number; bytes: Uint8Array } {
  const { kinds, lengths, data } = payloadsOf(segment);
  const from = segment.offsets[index]!;
  return { kind: kinds[index]!, bytes: data.subarray(from, from + lengths[index]!) };
}
