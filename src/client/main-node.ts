// A main node: it sends jobs and gets solutions, over a link that breaks and comes back. Whatever the hub has acknowledged
// it need not remember; whatever the hub has not, it sends again.
import {
  FlockworkError,
  JobError,
  makeNodeId,
  randomBytes,
  randomHex,
  type NodeId,
  type NodeKind,
  type NodeState,
} from "../ids/index.js";
import {
  byteStreamOf,
  eachInRuns,
  encodeContent,
  type Link,
  nextTurn,
  packRuns,
  Transfers,
  type ByteStream,
  type MessageFrom,
  type MessageOf,
  type Payload,
  type PayloadColumns,
} from "../wire/index.js";
import { Acks } from "./acks.js";
import { Batch, type JobSource } from "./batch.js";
import { Departures } from "./departures.js";
import { checkJobOptions, type JobOptions } from "./job-options.js";
import { clientLink, type ClientRuntime } from "./client-link.js";
import type { MainNodeOptions, RequestOptions } from "./main-node-options.js";
import { Missed } from "./missed.js";
import { Outstanding, type Sink } from "./outstanding.js";
import { packJobs } from "./packing.js";
import { PendingRequest } from "./request.js";
import { NEVER_SENT, unsendable, Unsolved, type Result } from "./result.js";
import { Results } from "./results.js";

/** Most inputs of one job. */
const MAX_INPUTS = 64;

export class MainNode {
  readonly id: NodeId;
  readonly kind: NodeKind;
  readonly #link: Link<"client">;
  readonly #outstanding = new Outstanding();
  readonly #transfers: Transfers;
  readonly #departures: Departures;
  readonly #acks: Acks;
  readonly #results: Results;
  /** Its own: the number of another main node's request would name another job here. */
  readonly #requests = new WeakSet<PendingRequest>();
  #state: NodeState = "unknown";
  #journal = "";
  #missedCount = 0;

  protected constructor(options: MainNodeOptions, runtime: ClientRuntime) {
    if (options.session !== undefined && (options.session.length === 0 || options.session.length > 200))
      throw new FlockworkError(
        "bad_argument",
        `The session's name has ${options.session.length} characters; give 1 to 200.`,
      );
    this.id = makeNodeId(options.name ?? "main", randomBytes(4));
    this.kind = options.kind ?? "main";
    this.#link = clientLink(options, runtime, {
      id: this.id,
      kind: this.kind,
      session: options.session ?? `${this.id}.${randomHex(8)}`,
      durable: options.session !== undefined,
      since: () => this.#results.since,
      up: (welcome) => this.#up(welcome),
      down: () => {
        this.#state = "unknown";
        this.#transfers.down();
        this.#departures.down();
      },
      receive: (message) => this.#receive(message),
      fatal: (error) => this.#end("dropped", error),
    });
    const transfers = (this.#transfers = new Transfers(this.#link));
    this.#departures = new Departures({
      transfers,
      send: (submit) => this.#link.send(submit),
      failed: ({ seq, lengths }, error) =>
        this.#outstanding.settleRuns(
          Float64Array.of(seq, lengths.length),
          (index, receipt) => new Unsolved(error, index, receipt),
        ),
    });
    this.#acks = new Acks((ack) => this.#link.sendLater(ack));
    this.#results = new Results(this.#outstanding, this.#acks, transfers);
  }

  /** Joins a hub; waits for one as long as none answers. Rejects with `session_taken`, `version_mismatch`, `unauthorized`. */
  static async start(options: MainNodeOptions, runtime: ClientRuntime): Promise<MainNode> {
    const main = new MainNode(options, runtime);
    await main.#link.connect();
    return main;
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Results of an earlier process of this session that wait for `resume()`. */
  get missed(): number {
    return this.#missedCount;
  }

  /**
   * One job, awaited. The job is bytes, text, a Tensor, anything JSON can hold, or a stream of bytes (an AsyncIterable of
   * Uint8Array, a ReadableStream, a Node Readable). Rejects with a JobError that has every attempt's reason.
   */
  request(service: string, job: unknown, options: RequestOptions = {}): PendingRequest {
    const wire = checkJobOptions(service, options);
    this.#checkOpen();
    const inputs = this.#inputs(options.inputs ?? []);
    const request = new PendingRequest(
      (receipt) => this.#results.taken(receipt),
      () => this.#cancel(request),
      options.signal,
    );
    this.#requests.add(request);
    let payload: Payload | ByteStream;
    try {
      payload = byteStreamOf(job) ?? encodeContent(job);
    } catch (error) {
      request.settle(0, new Unsolved(unsendable(error), 0, NEVER_SENT));
      return request;
    }
    request.seq = this.#submit({ ...wire, ...(inputs.length > 0 && { inputs }) }, [payload], request, 0);
    return request;
  }

  /** Many jobs from an array, an iterable or an AsyncIterable, which is read as there is room. */
  submit(service: string, jobs: JobSource, options: JobOptions = {}): Batch {
    const wire = checkJobOptions(service, options);
    this.#checkOpen();
    if (
      typeof jobs !== "object" ||
      jobs === null ||
      !(Symbol.iterator in jobs || Symbol.asyncIterator in jobs)
    )
      throw new FlockworkError(
        "bad_argument",
        `submit() takes an array, an iterable or an AsyncIterable of jobs, not a ${typeof jobs}; for one job use request().`,
      );
    return new Batch(
      {
        submit: (payloads, sink, index) => this.#submit(wire, payloads, sink, index),
        room: () => this.#outstanding.room(),
        taken: (receipt) => this.#results.taken(receipt),
        cancel: (sink) => this.#cancel(sink),
        turn: nextTurn,
      },
      jobs,
    );
  }

  /** Results that earlier processes of this session did not acknowledge; jobs of theirs that still run follow as they end. */
  async *resume(): AsyncGenerator<Result, void> {
    this.#checkOpen();
    if (this.#results.missed !== undefined)
      throw new FlockworkError("bad_argument", "resume() can be called once.");
    const missed = (this.#results.missed = new Missed(this.#missedCount));
    this.#link.send({ t: "resume" });
    for await (const result of missed) {
      yield result;
      this.#results.taken(result.receipt);
    }
  }

  /** Leaves. A session with a name keeps its jobs going and its results; without a name they are given up. */
  async close(): Promise<void> {
    this.#acks.flush();
    this.#end(
      "stopped",
      new FlockworkError("closed", "The main node was closed before this job was solved."),
    );
    await this.#link.close();
  }

  /** Cuts the link as a broken network would. For tests. */
  drop(): void {
    this.#link.drop();
  }

  #up(welcome: MessageOf<"welcome">): void {
    this.#state = "running";
    if (this.#results.since === undefined) {
      this.#results.since = welcome.nextSeq;
      this.#missedCount = welcome.missed;
      this.#outstanding.startAt(welcome.nextSeq);
    } else if (welcome.hub !== this.#journal) {
      const lost = new JobError(
        "hub_lost",
        "The hub that had taken this job is gone with its memory (it ran without a data directory); submit the job again.",
      );
      this.#outstanding.settleAll(
        (index, receipt) => new Unsolved(lost, index, receipt),
        this.#departures.seqs(),
      );
      this.#results.missed?.end();
    }
    this.#journal = welcome.hub;
    this.#acks.flush();
    const { missed } = this.#results;
    if (missed !== undefined && !missed.ended) this.#link.send({ t: "resume" });
    this.#departures.resend();
    this.#transfers.up();
    // A cancel may have been lost with the link.
    const cancelled = this.#outstanding.cancelled();
    if (cancelled.length > 0) this.#link.send({ t: "cancel", runs: packRuns(cancelled) });
  }

  #receive(message: MessageFrom<"hub">): void {
    switch (message.t) {
      case "accepted":
        this.#departures.accepted(message.runs);
        break;
      case "refused":
        // A hub that shuts down comes back, or another does: these are sent again then.
        if (message.code === "hub_stopping") break;
        if (message.code === "stream_lost" && this.#departures.startAnew(message.runs[0] ?? -1)) break;
        eachInRuns(message.runs, (seq) => this.#departures.delete(seq));
        this.#outstanding.settleRuns(
          message.runs,
          (index, receipt) => new Unsolved(new JobError(message.code, message.message), index, receipt),
        );
        break;
      case "solutions":
        this.#results.solutions(message);
        break;
      case "unsolved":
        this.#results.unsolved(message);
        break;
      case "grant":
      case "kept":
      case "chunk":
      case "end":
      case "broken":
        this.#transfers.receive(message);
        break;
      case "welcome":
      case "notice":
      case "beat":
        break;
      default:
        throw new FlockworkError("bad_message", `A main node has no use for "${message.t}".`);
    }
  }

  /** Sends jobs; those that are large, or streams, are uploaded first. */
  #submit(
    options: Omit<MessageOf<"submit">, "seq" | "t" | "streams" | keyof PayloadColumns>,
    jobs: readonly (Payload | ByteStream)[],
    sink: Sink,
    index: number,
  ): number {
    const { columns, sizes, uploads } = packJobs(jobs, this.#transfers);
    const message = this.#outstanding.add({ t: "submit", ...options, ...columns }, sizes, sink, index);
    this.#departures.add(message, uploads);
    return message.seq;
  }

  #inputs(requests: readonly PendingRequest[]): number[] {
    if (requests.length > MAX_INPUTS)
      throw new FlockworkError(
        "bad_argument",
        `A job takes at most ${MAX_INPUTS} inputs, not ${requests.length}.`,
      );
    return requests.map((request, i) => {
      if (this.#requests.has(request) && request.seq >= 0) return request.seq;
      throw new FlockworkError(
        "bad_argument",
        `inputs[${i}] is no request of this main node; give what main.request() returned, before it is awaited.`,
      );
    });
  }

  #cancel(sink: Sink): void {
    const seqs: number[] = [];
    for (const seq of this.#outstanding.seqsOf(sink))
      if (this.#departures.holds(seq)) this.#giveUp(seq);
      else seqs.push(seq);
    if (seqs.length > 0) this.#link.send({ t: "cancel", runs: packRuns(seqs) });
  }

  /** A job that has not left yet is not wanted any more. */
  #giveUp(seq: number): void {
    this.#departures.delete(seq);
    const error = new JobError("cancelled", "The job was cancelled.");
    this.#results.settle(seq, (index, receipt) => new Unsolved(error, index, receipt));
  }

  #checkOpen(): void {
    if (this.#state === "stopped" || this.#state === "dropped")
      throw new FlockworkError("closed", `Main node ${this.id} is closed; join again.`);
  }

  #end(state: NodeState, error: FlockworkError): void {
    if (this.#state === "stopped" || this.#state === "dropped") return;
    this.#state = state;
    const lost = new JobError(error.code, error.message);
    this.#outstanding.settleAll((index, receipt) => new Unsolved(lost, index, receipt), []);
    this.#departures.clear();
    this.#transfers.close(error);
    this.#results.missed?.end();
  }
}
