// What a dispatch puts on the wire: `run` messages of bounded size, each for one service.
import type { Assignment } from "../scheduler/index.js";
import type { MessageOf } from "../wire/index.js";
import { blobsOf, gather, streamsOf, type PayloadSource } from "./columns.js";
import type { Job, Segment } from "./jobs.js";
import { originsOf } from "./origins.js";

/** About the most bytes of one `run`. */
const RUN_BYTES = 2 * 1024 * 1024;

export function* runsOf(assignments: readonly Assignment<Job>[]): Iterable<MessageOf<"run">> {
  for (let from = 0; from < assignments.length;) {
    const first = assignments[from]!;
    let to = from + 1;
    let bytes = payloadBytes(first.tag);
    const fits = (a: Assignment<Job>) =>
      a.service === first.service &&
      a.attemptTimeoutMs === first.attemptTimeoutMs &&
      (bytes += payloadBytes(a.tag)) < RUN_BYTES;
    while (to < assignments.length && fits(assignments[to]!)) to++;
    yield runOf(from === 0 && to === assignments.length ? assignments : assignments.slice(from, to));
    from = to;
  }
}

/** What lies in blobs is only named: the node fetches it. */
function runOf(group: readonly Assignment<Job>[]): MessageOf<"run"> {
  const n = group.length;
  const sources = group.flatMap(({ tag }) => payloadsFor(tag));
  const { service, attemptTimeoutMs } = group[0]!;
  const tasks = new Float64Array(n);
  const attempts = new Uint16Array(n);
  let inputs: Uint16Array | undefined;
  for (let i = 0; i < n; i++) {
    const { task, attempt, tag } = group[i]!;
    tasks[i] = task;
    attempts[i] = attempt;
    if (tag.inputs.length > 0) (inputs ??= new Uint16Array(n).fill(1))[i] = 1 + tag.inputs.length;
  }
  return {
    t: "run",
    service,
    attemptTimeoutMs: Math.max(0, Math.ceil(attemptTimeoutMs)),
    tasks,
    attempts,
    ...originsOf(group),
    ...(inputs && { inputs }),
    ...gather(sources),
    ...streamsOf(blobsOf(sources)),
  };
}

/** A job's own payload, then those of its inputs. */
export function payloadsFor(job: Job): PayloadSource[] {
  const own = { segment: job.source, index: job.index };
  if (job.inputs.length === 0) return [own];
  return [
    own,
    ...job.inputs.map((input) => ({ segment: input.result as Segment, index: input.resultIndex })),
  ];
}

/** Bytes of a job's payloads that travel in its `run`. */
function payloadBytes(job: Job): number {
  let bytes = 0;
  for (const { segment, index } of payloadsFor(job))
    if (!segment.blobs?.has(index)) bytes += segment.lengthOf(index);
  return bytes;
}
