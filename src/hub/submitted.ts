// What a submit becomes: the record that the journal keeps, and the tasks that the scheduler sees.
import type { TaskId } from "../ids/index.js";
import type { TaskBatch, ValueRef } from "../scheduler/index.js";
import type { MessageOf } from "../wire/index.js";
import type { StoredColumns } from "./blob-payloads.js";
import { wallClock } from "./core.js";
import type { Job } from "./jobs.js";
import type { SubmitRecord } from "./records.js";
import type { ClientSession } from "./sessions.js";

const DEFAULT_ATTEMPTS = 5;

/** Jobs `seqs` as tasks `first`, `first + 1`, ... */
export function recordOf(
  session: ClientSession,
  message: MessageOf<"submit">,
  seqs: Float64Array,
  first: TaskId,
  columns: StoredColumns,
): SubmitRecord {
  return {
    k: "submit",
    session: session.name,
    owner: session.owner,
    client: session.client,
    domain: session.domain,
    durable: session.durable,
    service: message.service,
    priority: message.priority ?? 0,
    attempts: message.attempts ?? DEFAULT_ATTEMPTS,
    attemptTimeoutMs: message.attemptTimeoutMs ?? 0,
    ...(message.deadlineMs !== undefined && { deadlineAt: wallClock() + message.deadlineMs }),
    ...(message.failEarly && { failEarly: true }),
    ...(message.idempotent && { idempotent: true }),
    ...(message.needs && { needs: message.needs }),
    inputs: message.inputs ?? [],
    tasks: seqs.map((_, i) => first + i),
    seqs,
    ...columns,
  };
}

/** Jobs with neighbouring task numbers, of one segment. */
export function taskBatch(jobs: readonly Job[]): TaskBatch<Job> {
  const first = jobs[0]!;
  const { options, session } = first;
  const inputs = first.inputs
    .filter((input) => !input.over)
    .map((input): ValueRef => ({ task: input.task, output: 0 }));
  return {
    first: first.task,
    tags: jobs,
    domain: session.domain,
    session: session.id,
    service: options.service,
    priority: options.priority,
    maxAttempts: options.attempts,
    attemptTimeoutMs: options.attemptTimeoutMs,
    deadlineAt: options.deadlineAt ?? Infinity,
    idempotent: options.idempotent ?? false,
    ...(options.failEarly && { failEarly: true }),
    ...(options.needs && { needs: options.needs }),
    keep: "hub",
    ...(inputs.length > 0 && { inputs: jobs.map(() => inputs) }),
  };
}
