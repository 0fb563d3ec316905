// How a run is written down, one line of JSON for each event: enough to run it again, without tags, messages or payloads.
import type { SchedulerEvent } from "./events.js";
import type { Image } from "./image.js";

export const RECORD_FORMAT = 1;

/** The first line of a recording: where it starts from. */
export interface RecordHead {
  readonly flockwork: string;
  readonly format: number;
  /** Time of the scheduler's clock, in milliseconds since 1970. */
  readonly now: number;
  readonly image: Image;
  readonly digest: string;
}

/** An event with its time; or what the digest was after so many events of this file. */
export type RecordLine =
  readonly [now: number, event: unknown] | readonly ["digest", events: number, digest: string];

/** JSON has no Infinity. */
const NEVER = "never";

export function encodeEvent(event: SchedulerEvent<unknown>, now: number): string {
  return JSON.stringify([now, plain(event)]);
}

function plain(event: SchedulerEvent<unknown>): object {
  switch (event.type) {
    case "TasksSubmitted": {
      const { batch } = event;
      const deadlineAt = batch.deadlineAt === Infinity ? NEVER : batch.deadlineAt;
      return { ...event, batch: { ...batch, tags: batch.tags.length, deadlineAt } };
    }
    case "AttemptsDone":
      return { ...columns(event), ...(event.ms && { ms: Array.from(event.ms) }) };
    case "AttemptsDropped":
      return columns(event);
    case "TasksCancelled":
      return { ...event, tasks: Array.from(event.tasks) };
    case "AttemptFailed": {
      // The message is the service's own, and may quote what it worked on.
      const { type, node, task, attempt, code, retry } = event;
      return { type, node, task, attempt, code, retry, message: "" };
    }
    case "SessionShare":
      return { ...event, ...(event.maxRunning === Infinity && { maxRunning: undefined }) };
    default:
      return event;
  }
}

function columns<Event extends { readonly tasks: ArrayLike<number>; readonly attempts: ArrayLike<number> }>(
  event: Event,
) {
  return { ...event, tasks: Array.from(event.tasks), attempts: Array.from(event.attempts) };
}

/** The event of a line, with empty tags. The line must be one that encodeEvent has written. */
export function decodeEvent(written: unknown): SchedulerEvent<null> {
  const event = written as SchedulerEvent<null>;
  if (event.type !== "TasksSubmitted") return event;
  const { batch } = event;
  const count = batch.tags as unknown as number;
  const never = (batch.deadlineAt as unknown) === NEVER;
  const tags = new Array<null>(count).fill(null);
  return { ...event, batch: { ...batch, tags, deadlineAt: never ? Infinity : batch.deadlineAt } };
}
