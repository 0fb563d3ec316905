// A recording, played again through the scheduler: the same decisions, or where they begin to differ.
import { FlockworkError } from "../ids/index.js";
import { RECORD_FORMAT, Scheduler, decodeEvent } from "../scheduler/index.js";
import type { RecordHead, RecordLine, SchedulerEffect, SchedulerEvent } from "../scheduler/index.js";

export interface Replayed {
  readonly events: number;
  /** Milliseconds since 1970 of the first event and the last. */
  readonly from: number;
  readonly to: number;
  readonly digest: string;
  /** Digests in the recording that were compared; the event by which they differed first, if they did. */
  readonly compared: number;
  readonly differsBy: number | null;
  /** The recording ends in the middle of a line, as it does when the process was killed. */
  readonly cut: boolean;
}

type OnEvent = (event: SchedulerEvent<null>, effects: readonly SchedulerEffect<null>[], now: number) => void;

/** Plays the lines of a recording. `onEvent` sees each event with what the scheduler makes of it. */
export async function replay(
  lines: AsyncIterable<string> | Iterable<string>,
  name: string,
  onEvent: OnEvent = () => undefined,
): Promise<Replayed> {
  let scheduler: Scheduler<null> | undefined;
  let events = 0;
  let from = 0;
  let to = 0;
  let compared = 0;
  let differsBy: number | null = null;
  let cut = false;
  for await (const text of lines) {
    if (text === "") continue;
    if (cut) throw damaged(name, events);
    if (scheduler === undefined) {
      scheduler = start(text, name);
      continue;
    }
    let line: RecordLine;
    try {
      line = JSON.parse(text) as RecordLine;
    } catch {
      // Only the last line may be cut.
      cut = true;
      continue;
    }
    if (line[0] === "digest") {
      compared++;
      if (line[2] !== scheduler.digest()) differsBy ??= events;
      continue;
    }
    const [now, written] = line;
    const event = decodeEvent(written);
    const effects = scheduler.handle(event, now);
    if (events++ === 0) from = now;
    to = now;
    onEvent(event, effects, now);
  }
  if (scheduler === undefined) throw notOne(name);
  return { events, from, to, digest: scheduler.digest(), compared, differsBy, cut };
}

function start(text: string, name: string): Scheduler<null> {
  let head: Partial<RecordHead>;
  try {
    head = JSON.parse(text) as Partial<RecordHead>;
  } catch {
    throw notOne(name);
  }
  if (typeof head !== "object" || head.image === undefined) throw notOne(name);
  if (head.format !== RECORD_FORMAT)
    throw new FlockworkError(
      "version_mismatch",
      `${name} was recorded by Flockwork ${String(head.flockwork)} in format ${String(head.format)}; this one reads format ${RECORD_FORMAT}. Replay it with the version that recorded it.`,
    );
  const scheduler = new Scheduler<null>({}, 1, head.image);
  if (scheduler.digest() !== head.digest) throw damaged(name, 0);
  return scheduler;
}

function notOne(name: string): FlockworkError {
  return new FlockworkError(
    "bad_argument",
    `${name} is not a recording: it was not written by flockwork up --record.`,
  );
}

function damaged(name: string, events: number): FlockworkError {
  return new FlockworkError("bad_argument", `${name} is damaged after ${events} events.`);
}
