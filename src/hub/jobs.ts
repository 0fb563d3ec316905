// Jobs as the hub holds them in memory: small objects that point into segments, the payload columns of one journal record.
import type { TaskId } from "../ids/index.js";
import { align } from "../wire/index.js";
import type { ClientSession } from "./sessions.js";
import type { JobSet } from "./events/job-sets.js";
import type { SolvedRecord, SubmitRecord, UnsolvedRecord } from "./records.js";

/** A payload that lies in a blob, because it is large. */
export interface BlobPayload {
  readonly hash: string;
  readonly bytes: number;
}

/** The payload columns of one record, shared by its jobs, with a count of those that still need them. */
export class Segment {
  /** Where payload i starts in `data`. */
  readonly offsets: Uint32Array;
  readonly blobs: ReadonlyMap<number, BlobPayload> | undefined;
  /** Jobs that still need this segment's record in the journal. */
  live: number;
  lsn = 0;
  /** When its jobs were stored, milliseconds since 1970; 0: by the hub before this one. */
  acceptedAt = 0;
  /** The jobs of this session and service, which count together. */
  set: JobSet | undefined = undefined;
  /** Bytes the journal had taken when this record was written; tells how far behind the tail it lies. */
  at = 0;

  constructor(
    readonly record: SubmitRecord | SolvedRecord | UnsolvedRecord,
    /** Job i of the record, by position. */
    readonly jobs: Job[],
    readonly bytes: number,
  ) {
    this.live = jobs.length;
    if (record.k === "unsolved") {
      this.offsets = NO_OFFSETS;
      this.blobs = undefined;
      return;
    }
    const { lengths } = record;
    const offsets = new Uint32Array(lengths.length);
    for (let i = 0, at = 0; i < lengths.length; i++) {
      offsets[i] = at;
      at += align(lengths[i]!);
    }
    this.offsets = offsets;
    this.blobs = record.blobs && new Map(record.blobs.map(([i, hash, bytes]) => [i, { hash, bytes }]));
  }

  /** Bytes of payload `index`, wherever it lies. */
  lengthOf(index: number): number {
    if (this.record.k === "unsolved") return 0;
    return this.blobs?.get(index)?.bytes ?? this.record.lengths[index] ?? 0;
  }
}

const NO_OFFSETS = new Uint32Array(0);

/** One job of one client: the scheduler's tag. */
export class Job {
  /** Solved: where the solution lies. Unsolved for good: its record. */
  result: Segment | undefined = undefined;
  resultIndex = 0;
  /** Jobs that take this one's solution as input and are not over; it stays while there are any. */
  dependents = 0;
  /** The result is in the journal: it may be shown. */
  stored = false;
  /** The client has acknowledged the result. */
  acknowledged = false;
  /** Set while its payload is still coming and nothing of it is in the journal; resolves when it is, or when it is taken back. */
  early: Promise<void> | undefined = undefined;

  constructor(
    readonly task: TaskId,
    readonly session: ClientSession,
    readonly seq: number,
    public source: Segment,
    public index: number,
    public inputs: readonly Job[],
  ) {}

  get options(): SubmitRecord {
    return this.source.record as SubmitRecord;
  }

  get over(): boolean {
    return this.result !== undefined;
  }
}
