// Jobs whose payload is still on its way here. Each waits for the end of its upload; one whose payload is nearly here is given to
// a node already, which reads what there is as it comes. Until all of it is stored such a job is in no journal, its client
// is told nothing, and what nodes say of it waits. If the client goes away meanwhile, the job is taken back from its node, which
// costs no attempt, and waits again.
import { FlockworkError } from "../ids/index.js";
import type { MessageOf } from "../wire/index.js";
import type { HubCore, HubParts } from "./core.js";
import type { Job } from "./jobs.js";
import type { ClientSession } from "./sessions.js";

type Submit = MessageOf<"submit">;

/** What a job that was begun early needs of who admits it. */
export interface EarlyAdmission {
  /** Makes the job of a submit as if its payload were here under this name. Undefined: it has to wait. */
  begin(session: ClientSession, message: Submit, name: string, bytes: number): Job | undefined;
  /** Admits a submit whose upload is stored; `job`: what was made of it. Resolves in any case. */
  admit(session: ClientSession, message: Submit, job: Job | undefined): Promise<void>;
}

interface Waiting {
  message: Submit;
  /** While a node may have it. */
  job: Job | undefined;
  /** Lets go of the payload that is still coming, and of who waits for the job. */
  release: () => void;
  /** It is over as soon as it is admitted. */
  cancelled: boolean;
}

export class EarlyJobs {
  readonly #core: HubCore;
  readonly #parts: HubParts;
  readonly #admission: EarlyAdmission;
  /** By session and the id of the upload. */
  readonly #waiting = new Map<ClientSession, Map<string, Waiting>>();
  /** Jobs that nodes may have and that are not admitted. */
  #early = 0;

  constructor(core: HubCore, parts: HubParts, admission: EarlyAdmission) {
    this.#core = core;
    this.#parts = parts;
    this.#admission = admission;
  }

  /** Takes a submit that names an upload which is under way. False: it is an ordinary one. */
  takes(session: ClientSession, message: Submit): boolean {
    const [first, ...more] = message.streams ?? [];
    if (first === undefined || more.length > 0 || message.lengths.length !== 1) return false;
    const [, id] = first;
    if (!this.#parts.transfers.underWay(session, id)) return false;
    const ofSession = this.#waiting.get(session) ?? new Map<string, Waiting>();
    this.#waiting.set(session, ofSession);
    const known = ofSession.get(id);
    // Said again after a break; or a second job names the same upload, which only one can have.
    if (known !== undefined && (known.message.seq !== message.seq || known.job !== undefined))
      return known.message.seq === message.seq;
    const waiting: Waiting = known ?? {
      message,
      job: undefined,
      release: () => undefined,
      cancelled: false,
    };
    waiting.message = message;
    ofSession.set(id, waiting);
    this.#parts.transfers.watch(session, id, {
      soon: (name, bytes) => this.#begin(session, waiting, name, bytes),
      settled: (stored) => {
        ofSession.delete(id);
        if (ofSession.size === 0) this.#waiting.delete(session);
        if (stored) this.#settle(session, waiting);
        else this.#takeBack(session, waiting);
      },
    });
    return true;
  }

  /** The client's link is gone: nodes should not wait for it. */
  away(session: ClientSession): void {
    for (const waiting of this.#waiting.get(session)?.values() ?? []) this.#takeBack(session, waiting);
  }

  /** The scheduler has given up a job that is not admitted yet: it is tried anew, or that is told, once it is. */
  gaveUp(job: Job, tell: () => void): void {
    const { session, seq } = job;
    const here = () => session.jobs.get(seq) === job;
    if (!here()) return;
    for (const waiting of this.#waiting.get(session)?.values() ?? [])
      if (waiting.job === job) this.#takeBack(session, waiting);
    if (here()) void job.early?.then(() => here() && tell());
  }

  /** Its client does not want it any more. False: it is none of these. */
  cancelled(session: ClientSession, seq: number): boolean {
    for (const waiting of this.#waiting.get(session)?.values() ?? []) {
      if (waiting.message.seq !== seq) continue;
      waiting.cancelled = true;
      this.#takeBack(session, waiting);
      return true;
    }
    return false;
  }

  /** Jobs that nodes may have and that are not admitted. */
  get size(): number {
    return this.#early;
  }

  #begin(session: ClientSession, waiting: Waiting, name: string, bytes: number): void {
    if (session.peer === undefined || waiting.job !== undefined || waiting.cancelled) return;
    const job = this.#admission.begin(session, waiting.message, name, bytes);
    if (job === undefined) return;
    const { blobs } = this.#parts;
    const letGo = blobs.hold(name);
    waiting.job = job;
    this.#early++;
    job.early = new Promise((resolve) => {
      waiting.release = () => {
        waiting.release = () => undefined;
        job.early = undefined;
        this.#early--;
        blobs.breakReaders(name, TAKEN_BACK);
        letGo();
        resolve();
      };
    });
    this.#core.clients.admission.begin([job]);
  }

  #settle(session: ClientSession, waiting: Waiting): void {
    const { message, job } = waiting;
    void this.#admission.admit(session, message, job).then(() => {
      waiting.release();
      if (waiting.cancelled) this.#core.clients.cancel(session, message.seq);
    });
  }

  #takeBack(session: ClientSession, waiting: Waiting): void {
    const { job } = waiting;
    if (job === undefined) return;
    waiting.job = undefined;
    session.jobs.delete(job.seq);
    this.#core.handle({ type: "TasksCancelled", tasks: [job.task] });
    // After the node was told to stop: it is no failure of its service.
    waiting.release();
  }
}

const TAKEN_BACK = new FlockworkError("cancelled", "Whoever sent this payload has gone.");
