// Moving payloads from segments into the columns of a message: neighbours in a segment are copied in one piece, and those
// that lie in blobs are named.
import { align, type PayloadColumns } from "../wire/index.js";
import type { BlobColumn } from "./blob-payloads.js";
import type { Segment } from "./jobs.js";

/** Where one payload lies. */
export interface PayloadSource {
  readonly segment: Segment;
  readonly index: number;
}

/** Gathers payloads into fresh columns. Those that lie in blobs have no bytes here. */
export function gather(sources: readonly PayloadSource[]): PayloadColumns {
  const n = sources.length;
  const kinds = new Uint8Array(n);
  const lengths = new Uint32Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const { segment, index } = sources[i]!;
    const columns = payloadsOf(segment);
    kinds[i] = columns.kinds[index]!;
    lengths[i] = columns.lengths[index]!;
    total += align(lengths[i]!);
  }
  const data = new Uint8Array(total);
  for (let i = 0, at = 0; i < n;) {
    const { segment, index } = sources[i]!;
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

/** Which of these payloads lie in blobs, by their position here. */
export function blobsOf(sources: readonly PayloadSource[]): BlobColumn {
  return sources.flatMap(({ segment, index }, i) => {
    const blob = segment.blobs?.get(index);
    return blob === undefined ? [] : [[i, blob.hash, blob.bytes] as const];
  });
}

/** What a message says of payloads that lie in blobs: they are to be fetched. */
export function streamsOf(blobs: BlobColumn = []): { streams?: [index: number, bytes: number][] } {
  return blobs.length === 0 ? {} : { streams: blobs.map(([index, , bytes]) => [index, bytes]) };
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
