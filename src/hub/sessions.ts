// Client sessions: which jobs a session has, and how its results find the client, now or after its return.
import type { Domain, SessionId } from "../ids/index.js";
import type { Job } from "./jobs.js";
import type { Peer } from "./peer.js";

export class ClientSession {
  /** Every job that is not acknowledged, by sequence number. */
  readonly jobs = new Map<number, Job>();
  nextSeq = 0;
  peer: Peer | undefined = undefined;
  instance = "";
  /** Id of the main node that joined last. */
  client = "";
  /** Sequence numbers below belong to an earlier process; their results wait until it asks with `resume`. */
  since = 0;
  resumed = false;
  /** Time of the last sign of the client, for keeping what nobody claims a day and no longer. */
  lastSeen = 0;
  /** Bytes of results that are kept for the client. */
  unclaimedBytes = 0;
  /** Bytes of payloads of jobs that are not acknowledged. */
  jobBytes = 0;
  /** Services this session has been told nobody offers. */
  readonly toldUnknown = new Set<string>();
  /** Submits on their way to the journal, in the order they came; what refers to their jobs waits for it. */
  admitting: Promise<void> | undefined = undefined;
  /** Nobody will come back: results are not kept. */
  ended = false;

  constructor(
    readonly id: SessionId,
    readonly name: string,
    /** Whose it is: a session name of another owner is another session. */
    readonly owner: string,
    readonly domain: Domain,
    /** Somebody chose the name, so somebody may come back for it. */
    readonly durable: boolean,
  ) {}

  /** Whether the connected process wants the result of this job now. */
  wants(job: Job): boolean {
    return this.peer !== undefined && (this.resumed || job.seq >= this.since);
  }
}
