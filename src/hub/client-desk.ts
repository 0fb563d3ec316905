// What the hub says to clients and hears from them: sessions, submits, cancels, acknowledgements.
import { FlockworkError, type AttemptFailure, type Domain, type SessionId } from "../ids/index.js";
import type { SchedulerEffect } from "../scheduler/index.js";
import { eachInRuns, type MessageFrom, type MessageOf } from "../wire/index.js";
import { Admission } from "./admission.js";
import type { Answers, HubCore, HubParts } from "./core.js";
import { Delivery } from "./delivery.js";
import type { Job } from "./jobs.js";
import type { NodeView } from "./node-view.js";
import type { Hello, Peer } from "./peer.js";
import { ClientSession } from "./sessions.js";

export class ClientDesk {
  readonly sessions = new Map<SessionId, ClientSession>();
  readonly admission: Admission;
  readonly delivery: Delivery;
  readonly #core: HubCore;
  readonly #parts: HubParts;
  /** Set between the effects of one AttemptsDone and their confirmation to the node. */
  #storing: Promise<void> | undefined = undefined;

  constructor(core: HubCore, parts: HubParts) {
    this.#core = core;
    this.#parts = parts;
    this.admission = new Admission(core, parts);
    this.delivery = new Delivery(core, parts);
  }

  /** The session of a name in a domain, made on first sight. */
  session(domain: Domain, owner: string, name: string, durable: boolean): ClientSession {
    // Not joined by a sign that any of them may hold: two must never come to one.
    const id = JSON.stringify([domain, owner, name]) as SessionId;
    let session = this.sessions.get(id);
    if (session === undefined) {
      session = new ClientSession(id, name, owner, domain, durable);
      session.lastSeen = Date.now();
      this.sessions.set(id, session);
    }
    return session;
  }

  join(peer: Peer, hello: Hello): ClientSession {
    this.#makeRoom(peer.bearer?.owner ?? "local");
    const session = this.session(
      hello.domain as Domain,
      peer.bearer?.owner ?? "local",
      hello.session,
      hello.durable ?? false,
    );
    if (session.peer !== undefined) {
      // One that has fallen silent may be frozen for good; whoever comes under its name takes its place.
      const now = performance.now();
      const alive = now - session.peer.heardAt(now) < this.#parts.limits.silentMs;
      if (session.instance !== hello.instance && alive)
        throw new FlockworkError(
          "session_taken",
          `Session "${hello.session}" is in use by the main node ${session.peer.hello?.id ?? "?"}; choose another session name or close that one.`,
        );
      session.peer.cut();
    }
    if (session.instance !== hello.instance) {
      session.instance = hello.instance;
      session.since = hello.since ?? session.nextSeq;
      session.resumed = false;
    }
    session.peer = peer;
    session.client = hello.id;
    session.lastSeen = Date.now();
    session.toldUnknown.clear();
    this.#parts.log.info(
      { session: session.name, client: hello.id, domain: session.domain },
      "client joined",
    );
    return session;
  }

  /** Names of sessions cost memory as long as they are kept: an owner's oldest empty one gives way. Throws `limit`. */
  #makeRoom(owner: string): void {
    const { sessionsPerOwner } = this.#parts.limits;
    if (this.sessions.size < sessionsPerOwner) return;
    const own = [...this.sessions.values()].filter((session) => session.owner === owner);
    if (own.length < sessionsPerOwner) return;
    const empty = own.find((s) => s.peer === undefined && s.jobs.size === 0 && s.admitting === undefined);
    if (empty === undefined)
      throw new FlockworkError(
        "limit",
        `There are ${own.length} sessions of ${owner}, which is the limit; use one of them again.`,
      );
    this.#parts.transfers.forget(empty);
    this.sessions.delete(empty.id);
  }

  /** What a client should know when it is welcomed. */
  welcome(session: ClientSession): { nextSeq: number; missed: number } {
    let missed = 0;
    for (const seq of session.jobs.keys()) if (seq < session.since) missed++;
    return { nextSeq: Math.max(session.nextSeq, session.since), missed };
  }

  message(session: ClientSession, message: MessageFrom<"client">): void {
    switch (message.t) {
      case "submit":
        this.admission.submit(session, message);
        break;
      case "cancel":
        this.#afterAdmission(session, () => this.#cancel(session, message.runs));
        break;
      case "ack":
        this.#acknowledge(session, message.runs);
        break;
      case "resume":
        session.resumed = true;
        this.delivery.resend(session);
        break;
      case "goodbye":
        if (!session.durable) this.#end(session);
        break;
      case "fetch":
        this.#fetch(session, message);
        break;
      case "open":
      case "chunk":
      case "grant":
      case "end":
      case "broken":
        if (session.peer === undefined) break;
        if (message.t !== "open" && this.#core.graphs.stream(session.peer, message)) break;
        this.#parts.transfers.message(session, session.peer, message);
        break;
      case "hello":
        throw new FlockworkError("bad_message", "A connection says hello once.");
      case "beat":
        break;
      default:
        this.#core.graphs.client(session, message);
    }
  }

  closed(session: ClientSession, peer: Peer): void {
    if (session.peer !== peer) return;
    session.peer = undefined;
    this.admission.early.away(session);
    this.#parts.transfers.closed(peer);
    this.#core.graphs.closed(peer);
    session.lastSeen = Date.now();
    this.#parts.log.info({ session: session.name, jobs: session.jobs.size }, "client left");
  }

  solved(effect: Extract<SchedulerEffect<Job>, { type: "Solved" }>, answers: Answers): void {
    this.#storing = this.delivery.solved(effect, answers);
  }

  unsolved(job: Job, code: string, message: string, reasons: readonly AttemptFailure[]): void {
    this.delivery.unsolved(job, code, message, reasons);
  }

  /** One job that was to be cancelled before it was admitted. */
  cancel(session: ClientSession, seq: number): void {
    this.#afterAdmission(session, () => this.#cancel(session, Float64Array.of(seq, 1)));
  }

  /** Tells the node that the answers of this message are safe, once those that counted are. */
  confirm(view: NodeView, message: Answers): void {
    if (this.#storing === undefined) this.#parts.blobs.releaseAll(message.blobs);
    this.delivery.confirm(view.id, message, this.#storing);
    this.#storing = undefined;
  }

  /** Gives up sessions and results nobody has come back for. `now` as Date.now(). */
  sweep(now: number): void {
    const { limits, log, counters } = this.#parts;
    for (const session of this.sessions.values()) {
      if (session.peer !== undefined) continue;
      const away = now - session.lastSeen;
      if (!session.durable && away > limits.anonymousMs) this.#end(session);
      const finished = [
        ...(away > limits.unclaimedMs || session.unclaimedBytes > limits.unclaimedBytes
          ? session.jobs.values()
          : []),
      ];
      const dropped: Job[] = [];
      let bytes = session.unclaimedBytes;
      for (const job of finished) {
        if (away <= limits.unclaimedMs && bytes <= limits.unclaimedBytes) break;
        if (!job.stored) continue;
        bytes -= job.result?.lengthOf(job.resultIndex) ?? 0;
        dropped.push(job);
      }
      if (dropped.length > 0) {
        counters.expired += dropped.length;
        log.warn({ session: session.name, solutions: dropped.length }, "unclaimed solutions dropped");
        this.delivery.forget(dropped);
      }
      if (session.jobs.size === 0 && (session.ended || away > limits.unclaimedMs))
        this.sessions.delete(session.id);
    }
  }

  /** The result of one of its jobs. */
  #fetch(session: ClientSession, message: MessageOf<"fetch">): void {
    const { id, of } = message;
    if (!("seq" in of)) {
      if (session.peer !== undefined) this.#core.graphs.fetch(session, session.peer, message);
      return;
    }
    const job = session.jobs.get(of.seq);
    const blob = job?.stored ? job.result?.blobs?.get(job.resultIndex) : undefined;
    if (blob !== undefined && session.peer !== undefined)
      this.#parts.transfers.fetch(session.peer, message, blob);
    else
      session.peer?.send({
        t: "broken",
        id,
        code: "bad_argument",
        message: "There is no solution of this session to be fetched here (any more).",
      });
  }

  #cancel(session: ClientSession, runs: Float64Array): void {
    const tasks: number[] = [];
    eachInRuns(runs, (seq) => {
      if (this.admission.early.cancelled(session, seq)) return;
      const job = session.jobs.get(seq);
      if (job !== undefined && !job.over) tasks.push(job.task);
    });
    if (tasks.length > 0) this.#core.handle({ type: "TasksCancelled", tasks });
  }

  #acknowledge(session: ClientSession, runs: Float64Array): void {
    const jobs: Job[] = [];
    eachInRuns(runs, (seq) => {
      const job = session.jobs.get(seq);
      if (job !== undefined) jobs.push(job);
    });
    if (jobs.length > 0) this.delivery.forget(jobs);
  }

  #end(session: ClientSession): void {
    if (session.ended) return;
    session.ended = true;
    this.#core.graphs.endAll(session);
    this.#parts.transfers.forget(session);
    this.#afterAdmission(session, () => {
      const jobs = [...session.jobs.values()];
      const tasks = jobs.filter((job) => !job.over).map((job) => job.task as number);
      if (tasks.length > 0) this.#core.handle({ type: "TasksCancelled", tasks });
      this.delivery.forget(jobs);
    });
  }

  #afterAdmission(session: ClientSession, act: () => void): void {
    if (session.admitting === undefined) act();
    else void session.admitting.then(act);
  }
}
