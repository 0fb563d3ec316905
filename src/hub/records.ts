// What a hub writes to its journal, one row each. Encoded as wire frames, so that payload columns cost one copy.
// Replaying a record twice must be harmless: compaction writes what still lives again, behind what it copied.
import type { Needs } from "../scheduler/index.js";
import { decodeFrame, encodeFrame, lyingIn, type MessageOf } from "../wire/index.js";

/** Jobs that share their options. Job i is task `first + i`, number `seqs[i]` of its session. */
export interface SubmitRecord {
  readonly k: "submit";
  readonly session: string;
  readonly owner: string;
  /** Id of the main node that submitted them. */
  readonly client: string;
  readonly domain: string;
  readonly durable: boolean;
  readonly service: string;
  readonly priority: number;
  readonly attempts: number;
  readonly attemptTimeoutMs: number;
  readonly failEarly?: boolean;
  readonly idempotent?: boolean;
  readonly needs?: Needs;
  /** Milliseconds since 1970; absent: none. */
  readonly deadlineAt?: number;
  /** Jobs of the session whose solutions each job takes as further payloads. */
  readonly inputs: readonly number[];
  readonly tasks: Float64Array;
  readonly seqs: Float64Array;
  readonly kinds: Uint8Array;
  readonly lengths: Uint32Array;
  readonly data: Uint8Array;
  /** Hash of each payload that lies in a blob (its length in `data` is then 0), by index. */
  readonly blobs?: readonly (readonly [index: number, hash: string, bytes: number])[] | undefined;
}

export interface SolvedRecord {
  readonly k: "solved";
  readonly node: string;
  readonly tasks: Float64Array;
  readonly kinds: Uint8Array;
  readonly lengths: Uint32Array;
  readonly data: Uint8Array;
  readonly blobs?: readonly (readonly [index: number, hash: string, bytes: number])[] | undefined;
}

export interface UnsolvedRecord {
  readonly k: "unsolved";
  readonly task: number;
  readonly code: string;
  readonly message: string;
  readonly reasons: MessageOf<"unsolved">["reasons"];
}

/** These jobs are over and their clients have been told: forget them. */
export interface ForgottenRecord {
  readonly k: "forgotten";
  readonly tasks: Float64Array;
}

export type HubRecord = SubmitRecord | SolvedRecord | UnsolvedRecord | ForgottenRecord;

export function encodeRecord(record: HubRecord): Uint8Array<ArrayBuffer> {
  return encodeFrame([record]);
}

/** A record whose columns lie in its encoded bytes, which are all that memory keeps then. */
export function inEncoded<R extends HubRecord>(record: R, encoded: Uint8Array): R {
  return lyingIn(encoded, record);
}

/** Only ever reads what encodeRecord wrote, checked by the journal's driver; still throws on anything else. */
export function decodeRecord(bytes: Uint8Array): HubRecord {
  const [record] = decodeFrame(bytes);
  return record as HubRecord;
}
