// Jobs by session and service: what was asked, what came of it, what runs. One number is added for each job, no more.
import { Job } from "../jobs.js";
import type { ClientSession } from "../sessions.js";
import type { Section } from "./section.js";

/** Jobs of one session that ask for one service. */
export interface JobSet {
  readonly number: number;
  readonly session: ClientSession;
  readonly service: string;
  readonly firstAt: number;
  submitted: number;
  solved: number;
  unsolved: number;
  /** In a node's slot, as of the last look. */
  running: number;
}

/** A set as /api/jobs and the feed show it. */
export interface JobSetRow {
  readonly set: number;
  readonly session: string;
  readonly domain: string;
  readonly service: string;
  /** The main node that asks; null while none is there. */
  readonly client: string | null;
  readonly firstAt: string;
}

/** What the desks know of who runs what: the jobs in slots now. */
export type RunningJobs = () => Iterable<unknown>;
/** Whether a session is still known to the hub. */
export type KnowsSession = (session: ClientSession) => boolean;

/** A set whose session has gone is kept this long, and so many of them. */
const REMEMBER_MS = 600_000;
const MOST_GONE = 200;

export class JobSets implements Section {
  readonly name = "jobs";
  readonly #sets = new Map<ClientSession, Map<string, JobSet>>();
  readonly #goneAt = new Map<JobSet, number>();
  readonly #told = new Map<number, string>();
  #next = 0;

  /** The set of a job; its segment remembers it, since all jobs of a segment are of one. */
  of(job: Job, now: number): JobSet {
    return (job.source.set ??= this.#find(job.session, job.options.service, now));
  }

  #find(session: ClientSession, service: string, now: number): JobSet {
    let sets = this.#sets.get(session);
    if (sets === undefined) this.#sets.set(session, (sets = new Map()));
    let set = sets.get(service);
    if (set === undefined) {
      const number = this.#next++;
      set = { number, session, service, firstAt: now, submitted: 0, solved: 0, unsolved: 0, running: 0 };
      sets.set(service, set);
    }
    return set;
  }

  *all(): IterableIterator<JobSet> {
    for (const sets of this.#sets.values()) yield* sets.values();
  }

  /** Counts what runs, and forgets the sets of sessions that went long ago. */
  look(running: Iterable<unknown>, knows: KnowsSession, now: number): void {
    for (const set of this.all()) {
      set.running = 0;
      if (knows(set.session)) this.#goneAt.delete(set);
      else if (!this.#goneAt.has(set)) this.#goneAt.set(set, now);
    }
    for (const tag of running) if (tag instanceof Job) this.of(tag, now).running++;
    for (const [set, at] of this.#goneAt) {
      if (now - at < REMEMBER_MS && this.#goneAt.size <= MOST_GONE) break;
      this.#goneAt.delete(set);
      const sets = this.#sets.get(set.session);
      sets?.delete(set.service);
      if (sets?.size === 0) this.#sets.delete(set.session);
    }
  }

  whole(): { sets: JobSetRow[]; now: number[][]; gone: number[] } {
    this.#told.clear();
    return this.changes() ?? { sets: [], now: [], gone: [] };
  }

  changes(): { sets: JobSetRow[]; now: number[][]; gone: number[] } | undefined {
    const sets: JobSetRow[] = [];
    const now: number[][] = [];
    const here = new Set<number>();
    for (const set of this.all()) {
      here.add(set.number);
      const row = jobSetRow(set);
      const counts = [set.number, set.submitted, set.running, set.solved, set.unsolved];
      const text = `${row.client} ${counts.join(" ")}`;
      const told = this.#told.get(set.number);
      if (told === text) continue;
      if (told === undefined || !told.startsWith(`${row.client} `)) sets.push(row);
      now.push(counts);
      this.#told.set(set.number, text);
    }
    const gone = [...this.#told.keys()].filter((number) => !here.has(number));
    for (const number of gone) this.#told.delete(number);
    return now.length + gone.length === 0 ? undefined : { sets, now, gone };
  }
}

export function jobSetRow({ number, session, service, firstAt }: JobSet): JobSetRow {
  return {
    set: number,
    session: session.name,
    domain: session.domain,
    service,
    client: session.peer?.hello?.id ?? null,
    firstAt: new Date(firstAt).toISOString(),
  };
}
