// The jobs of one submit: small ones travel in it, large ones and streams are uploaded and named.
import {
  packPayloads,
  STREAM_BYTES,
  type ByteStream,
  type MessageOf,
  type Payload,
  type PayloadColumns,
  type Transfers,
  type Upload,
} from "../wire/index.js";

const NO_BYTES = new Uint8Array(0);

export interface Packed {
  readonly columns: PayloadColumns & Pick<MessageOf<"submit">, "streams">;
  /** Bytes of each job as far as they are known. */
  readonly sizes: readonly number[];
  /** By the index of the job they bring. */
  readonly uploads: ReadonlyMap<number, Upload>;
}

export function packJobs(jobs: readonly (Payload | ByteStream)[], transfers: Transfers): Packed {
  const uploads = new Map<number, Upload>();
  const payloads = jobs.map((job, i): Payload => {
    const source = "source" in job ? job.source : job.bytes;
    if (source instanceof Uint8Array && source.length < STREAM_BYTES)
      return { kind: job.kind, bytes: source };
    uploads.set(i, transfers.upload(source));
    return { kind: job.kind, bytes: NO_BYTES };
  });
  const streams = [...uploads].map(([i, { id }]): [number, string] => [i, id]);
  return {
    columns: { ...packPayloads(payloads), ...(streams.length > 0 && { streams }) },
    sizes: payloads.map(({ bytes }, i) => uploads.get(i)?.bytes ?? bytes.length),
    uploads,
  };
}
