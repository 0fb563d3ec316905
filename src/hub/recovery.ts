// Starting from a journal: rebuilds sessions, jobs and results as they were when the last hub stopped; and copying what still
// lives out of an old segment, so that the journal's head can be dropped.
import type { Domain, TaskId } from "../ids/index.js";
import type { ClientDesk } from "./client-desk.js";
import { blobsOf, gather, type PayloadSource } from "./columns.js";
import type { HubParts } from "./core.js";
import { Job, Segment } from "./jobs.js";
import { encodeRecord, type HubRecord, type SubmitRecord } from "./records.js";

/** Replays the journal. Returns the jobs that have no result, as they came. */
export async function recover(parts: HubParts, clients: ClientDesk): Promise<Job[]> {
  const jobs = new Map<number, Job>();
  for await (const { lsn, record, bytes } of parts.ledger.replay()) {
    const segment = apply(record, jobs, clients, bytes);
    if (segment !== undefined) parts.ledger.track(segment, lsn);
  }
  const open: Job[] = [];
  for (const job of jobs.values()) {
    // Only now: a job that was copied to the journal's tail lies behind those that take its solution.
    job.inputs = job.options.inputs
      .map((seq) => job.session.jobs.get(seq))
      .filter((input) => input !== undefined);
    job.source.live++;
    parts.blobs.retainOne(job.source, job.index);
    job.session.jobBytes += job.source.lengthOf(job.index);
    if (job.result === undefined) {
      open.push(job);
      continue;
    }
    job.stored = true;
    job.result.live++;
    parts.blobs.retainOne(job.result, job.resultIndex);
    job.session.unclaimedBytes += job.result.lengthOf(job.resultIndex);
  }
  for (const job of open) for (const input of job.inputs) input.dependents++;
  await parts.blobs.deleteOrphans();
  // A job's inputs came before it, also where they were copied behind it.
  return open.sort((a, b) => a.task - b.task);
}

/** Live counts are taken afterwards, from the jobs that are left. */
function apply(
  record: HubRecord,
  jobs: Map<number, Job>,
  clients: ClientDesk,
  bytes: number,
): Segment | undefined {
  switch (record.k) {
    case "submit": {
      const session = clients.session(record.domain as Domain, record.owner, record.session, record.durable);
      const list: Job[] = [];
      const segment = emptySegment(record, list, bytes);
      record.tasks.forEach((task, i) => {
        const seq = record.seqs[i]!;
        // A rewritten record stands for the older one.
        const known = jobs.get(task);
        const job = known ?? new Job(task as TaskId, session, seq, segment, i, []);
        job.source = segment;
        job.index = i;
        list.push(job);
        jobs.set(task, job);
        session.jobs.set(seq, job);
        session.nextSeq = Math.max(session.nextSeq, seq + 1);
      });
      return segment;
    }
    case "solved": {
      const list = Array.from(record.tasks, (task) => jobs.get(task));
      const segment = emptySegment(
        record,
        list.filter((job) => job !== undefined),
        bytes,
      );
      list.forEach((job, i) => {
        if (job === undefined) return;
        job.result = segment;
        job.resultIndex = i;
      });
      return segment;
    }
    case "unsolved": {
      const job = jobs.get(record.task);
      const segment = emptySegment(record, job ? [job] : [], bytes);
      if (job !== undefined) job.result = segment;
      return segment;
    }
    case "forgotten":
      for (const task of record.tasks) {
        const job = jobs.get(task);
        jobs.delete(task);
        if (job !== undefined && job.session.jobs.get(job.seq) === job) job.session.jobs.delete(job.seq);
      }
      return undefined;
    default:
      return record satisfies never;
  }
}

function emptySegment(
  record: SubmitRecord | Extract<HubRecord, { k: "solved" | "unsolved" }>,
  jobs: Job[],
  bytes: number,
): Segment {
  const segment = new Segment(record, jobs, bytes);
  segment.live = 0;
  return segment;
}

/** Writes the living jobs of a segment again, each with its result, and lets go of the old records. */
export async function rewrite(parts: HubParts, old: Segment): Promise<void> {
  const own = [...new Set(old.jobs)].filter((job) => job.source === old || job.result === old);
  const bySource = groupBy(own, (job) => job.source);
  for (const [source, jobs] of bySource) {
    // Each time anew, for meanwhile jobs end: one that was forgotten must not rise again behind its `forgotten`, and one
    // whose result is on its way to the journal must not get in front of it.
    const living = jobs.filter((job) => !gone(job));
    if (living.some((job) => job.over && !job.stored)) return;
    if (living.length > 0) await rewriteSubmit(parts, source, living);
  }
  const byResult = groupBy(
    own.filter((job) => job.stored),
    (job) => job.result as Segment,
  );
  for (const [result, jobs] of byResult) {
    const living = jobs.filter((job) => !gone(job));
    if (living.length > 0) await rewriteResult(parts, result, living);
  }
}

function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function gone(job: Job): boolean {
  return job.acknowledged && job.dependents === 0;
}

async function rewriteSubmit(parts: HubParts, source: Segment, jobs: readonly Job[]): Promise<void> {
  const record: SubmitRecord = {
    ...(source.record as SubmitRecord),
    tasks: Float64Array.from(jobs, (job) => job.task),
    seqs: Float64Array.from(jobs, (job) => job.seq),
    ...columnsOf(
      source,
      jobs.map((job) => job.index),
    ),
  };
  await replace(parts, record, jobs, (job, segment, i) => {
    job.source.live--;
    job.source = segment;
    job.index = i;
  });
}

async function rewriteResult(parts: HubParts, result: Segment, jobs: readonly Job[]): Promise<void> {
  const { record } = result;
  if (record.k === "submit") throw new Error("a submit is no result");
  const again =
    record.k === "unsolved"
      ? record
      : {
          ...record,
          tasks: Float64Array.from(jobs, (job) => job.task),
          ...columnsOf(
            result,
            jobs.map((job) => job.resultIndex),
          ),
        };
  await replace(parts, again, jobs, (job, segment, i) => {
    job.result!.live--;
    job.result = segment;
    job.resultIndex = i;
  });
}

async function replace(
  parts: HubParts,
  record: Segment["record"],
  jobs: readonly Job[],
  move: (job: Job, segment: Segment, index: number) => void,
): Promise<void> {
  const encoded = encodeRecord(record);
  const segment = new Segment(record, [...jobs], encoded.length);
  const lsn = await parts.ledger.append(record, encoded);
  jobs.forEach((job, i) => {
    if (gone(job)) segment.live--;
    else move(job, segment, i);
  });
  parts.ledger.track(segment, lsn);
}

function columnsOf(segment: Segment, indexes: readonly number[]) {
  const sources: PayloadSource[] = indexes.map((index) => ({ segment, index }));
  return { ...gather(sources), blobs: blobsOf(sources) };
}
