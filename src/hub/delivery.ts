// Results on their way out: stored first, then shown to the client that waits for them, kept until it acknowledges.
import type { AttemptFailure, NodeId } from "../ids/index.js";
import type { SchedulerEffect } from "../scheduler/index.js";
import { blobsOf, gather, streamsOf, type PayloadSource } from "./columns.js";
import type { Answers, HubCore, HubParts } from "./core.js";
import { Segment, type Job } from "./jobs.js";
import { encodeRecord, inEncoded, type SolvedRecord, type UnsolvedRecord } from "./records.js";
import type { ClientSession } from "./sessions.js";

type SolvedEffect = Extract<SchedulerEffect<Job>, { type: "Solved" }>;

/** Most results, and about the most bytes, of one message when they are sent again after a break. */
const RESEND_JOBS = 1024;
const RESEND_BYTES = 2 * 1024 * 1024;

export class Delivery {
  readonly #core: HubCore;
  readonly #parts: HubParts;

  constructor(core: HubCore, parts: HubParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /**
   * First answers. Jobs have their result from here on, for those that take it as input; the client sees it when it is
   * stored. Resolves when it is.
   */
  solved({ node, tags, index }: SolvedEffect, answers: Answers): Promise<void> {
    const all = index.length === answers.tasks.length;
    const columns = all ? answers : gather(sourcesAt(wholeMessage(node, answers), index));
    const tasks = Float64Array.from(tags, (job) => job.task);
    const jobs = tags as Job[];
    const record: SolvedRecord = {
      k: "solved",
      node,
      tasks,
      kinds: columns.kinds,
      lengths: columns.lengths,
      data: columns.data,
      ...(answers.blobs && { blobs: answers.blobs }),
    };
    this.#parts.counters.solved += jobs.length;
    this.#parts.watch.solved(this.#core.nodes.views.get(node), jobs, answers.ms, index);
    if (this.#parts.blobs.hasLarge(record.lengths)) {
      this.#attach(jobs, new Segment(record, jobs, 0));
      return this.#storeLarge(record, jobs);
    }
    const encoded = encodeRecord(record);
    const segment = new Segment(inEncoded(record, encoded), jobs, encoded.length);
    this.#attach(jobs, segment);
    return this.#store(segment, encoded);
  }

  unsolved(job: Job, code: string, message: string, failures: readonly AttemptFailure[]): void {
    const reasons = failures.map(({ node, code, message }): [string, string, string] => [
      node,
      code,
      message,
    ]);
    const record: UnsolvedRecord = { k: "unsolved", task: job.task, code, message, reasons };
    this.#parts.counters.unsolved++;
    this.#parts.watch.unsolved(job, code, message, failures.length > 0);
    const encoded = encodeRecord(record);
    const segment = new Segment(record, [job], encoded.length);
    this.#attach([job], segment);
    void this.#store(segment, encoded);
  }

  /** Shows a session every stored result it wants and has not acknowledged: after a reconnect or a resume. */
  resend(session: ClientSession): void {
    let batch: Job[] = [];
    let bytes = 0;
    const flush = () => {
      if (batch.length > 0) this.#deliver(batch, undefined);
      batch = [];
      bytes = 0;
    };
    for (const job of session.jobs.values()) {
      if (!job.stored || job.acknowledged || !session.wants(job)) continue;
      const last = batch.at(-1);
      const full = batch.length >= RESEND_JOBS || bytes >= RESEND_BYTES;
      if (last !== undefined && (full || nodeOf(last.result) !== nodeOf(job.result))) flush();
      batch.push(job);
      bytes += resultBytes(job);
    }
    flush();
  }

  /** Drops jobs whose results the client has, or that nobody will claim. */
  forget(jobs: readonly Job[]): void {
    const gone: number[] = [];
    for (const job of jobs) {
      if (job.acknowledged || !job.stored) continue;
      job.acknowledged = true;
      job.session.jobs.delete(job.seq);
      job.session.unclaimedBytes -= resultBytes(job);
      if (job.dependents === 0) this.#forgetOne(job, gone);
    }
    this.#writeForgotten(gone);
  }

  /** `times` jobs that were to take these as inputs do not need them any more. */
  release(inputs: readonly Job[], times: number): void {
    const gone: number[] = [];
    this.#letGo(inputs, times, gone);
    this.#writeForgotten(gone);
  }

  #letGo(inputs: readonly Job[], times: number, gone: number[]): void {
    for (const input of inputs) {
      input.dependents -= times;
      if (input.dependents === 0 && input.acknowledged) this.#forgetOne(input, gone);
    }
  }

  #attach(jobs: readonly Job[], segment: Segment): void {
    for (let i = 0; i < jobs.length; i++) {
      const job = jobs[i]!;
      job.result = segment;
      job.resultIndex = i;
    }
  }

  async #storeLarge(record: SolvedRecord, jobs: Job[]): Promise<void> {
    const columns = await this.#parts.ledger.untilStored(() => this.#parts.blobs.store(record));
    const stored: SolvedRecord = { ...record, ...columns };
    const encoded = encodeRecord(stored);
    const segment = new Segment(inEncoded(stored, encoded), jobs, encoded.length);
    this.#attach(jobs, segment);
    await this.#store(segment, encoded);
  }

  async #store(segment: Segment, encoded: Uint8Array<ArrayBuffer>): Promise<void> {
    const { jobs } = segment;
    segment.lsn = await this.#parts.ledger.insist(segment.record, encoded);
    this.#parts.ledger.track(segment, segment.lsn);
    const gone: number[] = [];
    let ended = false;
    for (let i = 0; i < jobs.length; i++) {
      const job = jobs[i]!;
      job.stored = true;
      job.session.unclaimedBytes += resultBytes(job);
      ended ||= job.session.ended;
      this.#letGo(job.inputs, 1, gone);
    }
    this.#writeForgotten(gone);
    if (ended) this.forget(jobs.filter((job) => job.session.ended));
    this.#deliver(jobs, segment);
  }

  /** Sends results to their clients; `whole` has just these jobs, at the same positions, when given. */
  #deliver(jobs: readonly Job[], whole: Segment | undefined): void {
    const first = jobs[0]!;
    const { session } = first;
    if (whole !== undefined && jobs.every((job) => job.session === session && session.wants(job))) {
      this.#send(session, jobs, whole.record);
      return;
    }
    const bySession = new Map<ClientSession, Job[]>();
    for (const job of jobs) {
      if (!job.session.wants(job)) continue;
      const list = bySession.get(job.session);
      if (list) list.push(job);
      else bySession.set(job.session, [job]);
    }
    for (const [to, list] of bySession) this.#gatherAndSend(to, list);
  }

  #gatherAndSend(session: ClientSession, jobs: readonly Job[]): void {
    const { record } = jobs[0]!.result!;
    if (record.k !== "solved") {
      for (const job of jobs) this.#send(session, [job], job.result!.record);
      return;
    }
    const sources = jobs.map(({ result, resultIndex }) => ({ segment: result!, index: resultIndex }));
    this.#send(session, jobs, { ...record, ...gather(sources), blobs: blobsOf(sources) });
  }

  /** What lies in blobs is only named: the client fetches it. */
  #send(session: ClientSession, jobs: readonly Job[], record: Segment["record"]): void {
    if (record.k === "submit") throw new Error("a submit is no result");
    this.#parts.counters.delivered += jobs.length;
    if (record.k === "unsolved") {
      const { code, message, reasons } = record;
      session.peer?.send({ t: "unsolved", seq: jobs[0]!.seq, code, message, reasons });
      return;
    }
    const { node, kinds, lengths, data, blobs } = record;
    session.peer?.send({
      t: "solutions",
      seqs: Float64Array.from(jobs, (job) => job.seq),
      node,
      kinds,
      lengths,
      data,
      ...streamsOf(blobs),
    });
  }

  #forgetOne(job: Job, gone: number[]): void {
    gone.push(job.task);
    this.#parts.counters.acknowledged++;
    job.source.live--;
    job.session.jobBytes -= job.source.lengthOf(job.index);
    this.#parts.blobs.release(job.source, job.index);
    if (job.result !== undefined) {
      job.result.live--;
      this.#parts.blobs.release(job.result, job.resultIndex);
    }
  }

  #writeForgotten(tasks: readonly number[]): void {
    if (tasks.length === 0) return;
    const record = { k: "forgotten", tasks: Float64Array.from(tasks) } as const;
    this.#parts.ledger
      .insist(record)
      .catch((error: unknown) => this.#parts.log.debug({ err: error }, "not forgotten"));
  }

  /** Confirms to a node that its answers need not be kept; `stored`: when those that count are safe. */
  confirm(node: NodeId, { tasks, attempts }: Answers, stored: Promise<void> | undefined): void {
    const tell = () => this.#core.nodes.views.get(node)?.peer?.sendLater({ t: "stored", tasks, attempts });
    if (stored === undefined) tell();
    else
      stored.then(tell, (error: unknown) =>
        this.#parts.log.error({ err: error }, "solutions are not stored"),
      );
  }
}

function nodeOf(segment: Segment | undefined): string {
  return segment?.record.k === "solved" ? segment.record.node : "";
}

function resultBytes(job: Job): number {
  return job.result?.lengthOf(job.resultIndex) ?? 0;
}

function wholeMessage(node: string, { tasks, kinds, lengths, data }: Answers): Segment {
  return new Segment({ k: "solved", node, tasks, kinds, lengths, data }, [], 0);
}

function sourcesAt(segment: Segment, index: readonly number[]): PayloadSource[] {
  return index.map((i) => ({ segment, index: i }));
}
