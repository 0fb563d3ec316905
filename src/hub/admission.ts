// Jobs on their way in: checked, made durable, only then acknowledged and given to the scheduler.
import { FlockworkError, type TaskId } from "../ids/index.js";
import { checkPayloads, checkSize, packRuns, type MessageOf } from "../wire/index.js";
import type { BlobColumn, StoredColumns } from "./blob-payloads.js";
import { gather } from "./columns.js";
import type { HubCore, HubParts } from "./core.js";
import { EarlyJobs } from "./early-jobs.js";
import { Job, Segment } from "./jobs.js";
import { encodeRecord, inEncoded } from "./records.js";
import type { ClientSession } from "./sessions.js";
import { recordOf, taskBatch } from "./submitted.js";

type Submit = MessageOf<"submit">;

/** Task numbers of one hub life: epoch * this + counter, so that none is used twice. */
export const TASKS_PER_EPOCH = 2 ** 32;

export class Admission {
  readonly #core: HubCore;
  readonly #parts: HubParts;
  #nextTask: number;
  /** Set while the hub shuts down: nothing new is taken. */
  closed = false;
  readonly early: EarlyJobs;

  /** Numbers for so many tasks: never given before, larger than all that were. */
  reserve(count: number): TaskId {
    const first = this.#nextTask as TaskId;
    this.#nextTask += count;
    return first;
  }

  constructor(core: HubCore, parts: HubParts) {
    this.#core = core;
    this.#parts = parts;
    this.early = new EarlyJobs(core, parts, {
      begin: (session, message, name, bytes) => this.#beginEarly(session, message, name, bytes),
      admit: (session, message, job) => {
        if (job === undefined) this.submit(session, message);
        return job === undefined
          ? Promise.resolve()
          : this.#inTurn(session, () =>
              this.#admit(session, { ...message, seqs: Float64Array.of(message.seq) }, job),
            );
      },
    });
    this.#nextTask = parts.ledger.epoch * TASKS_PER_EPOCH;
  }

  submit(session: ClientSession, message: Submit): void {
    checkPayloads(message);
    if (this.early.takes(session, message)) return;
    const fresh = this.#unknown(session, message);
    if (fresh.lengths.length > 0) void this.#inTurn(session, () => this.#admit(session, fresh));
  }

  /** Submits of a session are admitted one after the other. */
  #inTurn(session: ClientSession, admit: () => Promise<void>): Promise<void> {
    const before = session.admitting;
    const done = before === undefined ? admit() : before.then(admit);
    session.admitting = done;
    void done.then(() => {
      if (session.admitting === done) session.admitting = undefined;
    });
    return done;
  }

  /** What of a submit is new: a client that lost its link sends again what was not acknowledged. */
  #unknown(session: ClientSession, message: Submit): Submit & { readonly seqs: Float64Array } {
    const n = message.lengths.length;
    const seqs = new Float64Array(n);
    const fresh: number[] = [];
    const stored: number[] = [];
    for (let i = 0; i < n; i++) {
      seqs[i] = message.seq + i;
      const known = session.jobs.get(message.seq + i);
      if (known === undefined) fresh.push(i);
      else if (known.source.lsn > 0) stored.push(message.seq + i);
    }
    if (stored.length > 0) session.peer?.send({ t: "accepted", runs: packRuns(stored) });
    if (fresh.length === n) return { ...message, seqs };
    const whole = new Segment(
      { ...NO_OPTIONS, ...message, k: "submit", seqs, tasks: seqs, inputs: [] },
      [],
      0,
    );
    const columns = gather(fresh.map((index) => ({ segment: whole, index })));
    const { streams, ...rest } = message;
    const left = (streams ?? []).flatMap(([index, id]): [number, string][] =>
      fresh.includes(index) ? [[fresh.indexOf(index), id]] : [],
    );
    return {
      ...rest,
      ...columns,
      ...(left.length > 0 && { streams: left }),
      seqs: Float64Array.from(fresh, (i) => seqs[i]!),
    };
  }

  /** `begun`: the one job of it, which a node may have already. */
  async #admit(
    session: ClientSession,
    message: Submit & { readonly seqs: Float64Array },
    begun?: Job,
  ): Promise<void> {
    const { seqs } = message;
    const jobs: Job[] = [];
    let inputs: readonly Job[] = [];
    let columns: StoredColumns | undefined;
    try {
      const uploaded = this.#claim(session, message);
      columns = { kinds: message.kinds, lengths: message.lengths, data: message.data, blobs: uploaded };
      const bytes =
        message.lengths.reduce((sum, length) => sum + length, 0) +
        uploaded.reduce((sum, [, , length]) => sum + length, 0);
      this.#check(session, bytes, begun === undefined ? seqs.length : 0);
      const wanted = (message.inputs ?? []).map((seq) => this.#input(session, seq));
      // Held from here on: the client may acknowledge them while this submit is being stored.
      for (const input of wanted) input.dependents += seqs.length;
      inputs = wanted;
      if (this.#parts.blobs.hasLarge(message.lengths)) {
        const stored = await this.#parts.blobs.store(message);
        columns = { ...stored, blobs: [...(stored.blobs ?? []), ...uploaded] };
      }
      if (columns.blobs?.length === 0) columns = { ...columns, blobs: undefined };
      const first = begun?.task ?? this.reserve(seqs.length);
      const record = recordOf(session, message, seqs, first, columns);
      const encoded = encodeRecord(record);
      // The record's own bytes are what memory keeps, so the frame they came in can go.
      const segment = new Segment(inEncoded(record, encoded), jobs, encoded.length);
      for (let i = 0; i < seqs.length; i++) {
        const job = begun ?? new Job((first + i) as TaskId, session, seqs[i]!, segment, i, inputs);
        jobs.push(job);
        session.jobs.set(job.seq, job);
      }
      segment.live = jobs.length;
      const lsn = await this.#parts.ledger.append(record, encoded);
      this.#parts.ledger.track(segment, lsn);
      if (begun !== undefined) begun.source = segment;
      session.nextSeq = Math.max(session.nextSeq, seqs.at(-1)! + 1);
      session.jobBytes += bytes;
      this.#parts.counters.submitted += jobs.length;
      this.#parts.watch.submitted(jobs);
      session.peer?.sendLater({ t: "accepted", runs: packRuns(seqs) });
      this.#tellUnknownService(session, message.service);
      if (begun === undefined) this.begin(jobs);
    } catch (error) {
      this.#parts.blobs.releaseAll(columns?.blobs);
      for (const seq of begun === undefined ? jobs.map((job) => job.seq) : seqs) session.jobs.delete(seq);
      if (begun !== undefined) this.#core.handle({ type: "TasksCancelled", tasks: [begun.task] });
      this.#core.clients.delivery.release(inputs, seqs.length);
      this.#refuse(session, seqs, error);
    }
  }

  /** A job whose payload is still coming, where nothing speaks against a node's having it before it is admitted. */
  #beginEarly(session: ClientSession, message: Submit, name: string, bytes: number): Job | undefined {
    const waits = message.inputs ?? message.deadlineMs ?? message.attemptTimeoutMs;
    if (waits !== undefined || session.jobs.has(message.seq)) return undefined;
    try {
      this.#check(session, bytes, 1);
      checkSize(message.kinds[0]!, bytes);
    } catch {
      // It is refused when it is all here.
      return undefined;
    }
    const seqs = Float64Array.of(message.seq);
    const task = this.reserve(1);
    const { kinds, lengths, data } = message;
    const record = recordOf(session, message, seqs, task, {
      kinds,
      lengths,
      data,
      blobs: [[0, name, bytes]],
    });
    const jobs: Job[] = [];
    const job = new Job(task, session, message.seq, new Segment(record, jobs, 0), 0, []);
    jobs.push(job);
    session.jobs.set(job.seq, job);
    return job;
  }

  /** Jobs that are in the journal, or will be, and have no result. */
  begin(jobs: readonly Job[]): void {
    // An input may have failed while the jobs were stored, or just before the last hub died.
    const doomed = new Set(jobs.filter((job) => failedInput(job) !== undefined));
    this.#schedule(doomed.size === 0 ? jobs : jobs.filter((job) => !doomed.has(job)));
    for (const job of doomed)
      this.#core.clients.unsolved(job, "input_failed", inputFailed(failedInput(job) as Job), []);
  }

  /** Gives jobs to the scheduler, in runs of neighbouring task numbers of one segment. */
  #schedule(jobs: readonly Job[]): void {
    for (let from = 0; from < jobs.length;) {
      let to = from + 1;
      const next = () => jobs[to]?.task === jobs[to - 1]!.task + 1 && jobs[to]!.source === jobs[from]!.source;
      while (to < jobs.length && next()) to++;
      const tags = from === 0 && to === jobs.length ? jobs : jobs.slice(from, to);
      this.#core.handle({ type: "TasksSubmitted", batch: taskBatch(tags) });
      from = to;
    }
  }

  #check(session: ClientSession, bytes: number, more: number): void {
    const { limits } = this.#parts;
    if (this.closed)
      throw new FlockworkError(
        "hub_stopping",
        "The hub is shutting down and takes no new jobs; they are sent again when it is back.",
      );
    if (session.jobs.size + more > limits.jobsPerSession)
      throw new FlockworkError(
        "limit",
        `Session ${session.name} has ${session.jobs.size} jobs; the limit is ${limits.jobsPerSession}. Take solutions first.`,
      );
    const held = session.jobBytes + session.unclaimedBytes;
    if (held + bytes > limits.bytesPerSession)
      throw new FlockworkError(
        "limit",
        `Session ${session.name} has ${held} bytes of jobs and results; the limit is ${limits.bytesPerSession}. Take solutions first.`,
      );
  }

  /** The uploads that a submit names, counted for its record; all or none. */
  #claim(session: ClientSession, { kinds, streams = [] }: Submit): BlobColumn {
    const claimed: [number, string, number][] = [];
    try {
      for (const [index, id] of streams) {
        const { hash, bytes } = this.#parts.transfers.claim(session, id);
        claimed.push([index, hash, bytes]);
        checkSize(kinds[index]!, bytes);
      }
    } catch (error) {
      this.#parts.blobs.releaseAll(claimed);
      throw error;
    }
    return claimed;
  }

  #input(session: ClientSession, seq: number): Job {
    const job = session.jobs.get(seq);
    if (job === undefined)
      throw new FlockworkError(
        "bad_argument",
        `Job ${seq} can not be an input: it is unknown, or its solution was already taken. Submit what depends on it before.`,
      );
    if (job.result?.record.k === "unsolved") throw new FlockworkError("input_failed", inputFailed(job));
    return job;
  }

  #refuse(session: ClientSession, seqs: Float64Array, error: unknown): void {
    this.#parts.counters.refused += seqs.length;
    const known =
      error instanceof FlockworkError
        ? error
        : new FlockworkError("internal", "The hub met a bug of its own with these jobs.");
    if (known !== error) this.#parts.log.error({ err: error }, "submit failed");
    else this.#parts.log.warn({ session: session.name, jobs: seqs.length, code: known.code }, known.message);
    session.peer?.send({ t: "refused", runs: packRuns(seqs), code: known.code, message: known.message });
  }

  /** Jobs wait for nodes; but where nodes are and none offers the service, the name may be wrong, so say it once. */
  #tellUnknownService(session: ClientSession, service: string): void {
    if (session.toldUnknown.has(service) || this.#core.scheduler.offers(session.domain, service)) return;
    const offered = this.#core.nodes.services(session.domain);
    if (offered.length === 0) return;
    session.toldUnknown.add(service);
    session.peer?.send({
      t: "notice",
      code: "unknown_service",
      message: `No connected node offers "${service}"; offered: ${offered.join(", ")}. The job waits for one that does.`,
      fatal: false,
    });
  }
}

const NO_OPTIONS = {
  session: "",
  owner: "",
  client: "",
  domain: "",
  durable: false,
  priority: 0,
  attempts: 0,
  attemptTimeoutMs: 0,
};

function failedInput(job: Job): Job | undefined {
  return job.inputs.find((input) => input.result?.record.k === "unsolved");
}

function inputFailed({ seq, result }: Job): string {
  const why = result?.record.k === "unsolved" ? result.record.message : "";
  return `Job ${seq}, whose solution was to be an input, failed: ${why}`;
}
