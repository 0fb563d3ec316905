// A main node: it sends jobs and gets solutions, over a link that breaks and comes back. Whatever the hub has acknowledged
// it need not remember; whatever the hub has not, it sends again.
import {
  DEFAULT_DOMAIN,
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
  Link,
  nextTurn,
  onTickEnd,
  packPayloads,
  packRuns,
  PROTOCOL_VERSION,
  STREAM_BYTES,
  Transfers,
  unpackPayloads,
  type ByteStream,
  type Dial,
  type MessageFrom,
  type MessageOf,
  type Token,
  type Payload,
  type PayloadColumns,
  type Upload,
} from "../wire/index.js";
import { Arrivals, type Arrival } from "./arrivals.js";
import { Batch, type JobSource } from "./batch.js";
import { Departures } from "./departures.js";
import { checkJobOptions, type JobOptions } from "./job-options.js";
import { Outstanding, type Sink } from "./outstanding.js";
import { PendingRequest } from "./request.js";
import { Missed } from "./missed.js";
import { NEVER_SENT, Solution, unsendable, Unsolved, type Receipt, type Result } from "./result.js";

export interface MainNodeOptions {
  /** Address of the hub, for instance ws://localhost:9999. */
  readonly hub: string;
  /** What the hub lets us in by, where it asks; it must show that it knows it too. */
  readonly token?: Token;
  /** Name part of the node's id, 28 bytes at most. Default "main". */
  readonly name?: string;
  /** Results that this process misses wait under this name for the next one that gives it. Default: none. */
  readonly session?: string;
  /** Users of one hub in different domains never meet. Default "166". */
  readonly domain?: string | number;
  readonly kind?: NodeKind;
  /** Called once an outage: no hub answers, the main node goes on trying. */
  readonly onWaiting?: (error: FlockworkError) => void;
  readonly onUp?: () => void;
  readonly onDown?: (reason: string) => void;
  /** Something the hub wants the user to know, for instance that no node offers a service. */
  readonly onNotice?: (notice: { code: string; message: string }) => void;
}

/** What differs between runtimes. */
export interface ClientRuntime {
  readonly dial: Dial;
  readonly software: string;
}

/** Options of one awaited job. */
export interface RequestOptions extends JobOptions {
  /** Earlier requests of this main node whose solutions the service gets as `job.inputs`. Name them before their solutions are taken. */
  readonly inputs?: readonly PendingRequest[];
  /** Cancels the job. */
  readonly signal?: AbortSignal;
}

/** Most inputs of one job. */
const MAX_INPUTS = 64;
const NO_BYTES = new Uint8Array(0);

export class MainNode {
  readonly id: NodeId;
  readonly kind: NodeKind;
  readonly #options: MainNodeOptions;
  readonly #runtime: ClientRuntime;
  readonly #link: Link<"client">;
  readonly #session: string;
  readonly #instance = randomHex(8);
  readonly #outstanding = new Outstanding();
  readonly #transfers: Transfers;
  readonly #departures: Departures;
  readonly #arrivals: Arrivals;
  /** Its own: the number of another main node's request would name another job here. */
  readonly #requests = new WeakSet<PendingRequest>();
  #state: NodeState = "unknown";
  #since: number | undefined = undefined;
  #journal = "";
  #missedCount = 0;
  #missed: Missed | undefined = undefined;
  #acks: number[] = [];
  #acksAsked = false;

  protected constructor(options: MainNodeOptions, runtime: ClientRuntime) {
    if (options.session !== undefined && (options.session.length === 0 || options.session.length > 200))
      throw new FlockworkError(
        "bad_argument",
        `The session's name has ${options.session.length} characters; give 1 to 200.`,
      );
    this.#options = options;
    this.#runtime = runtime;
    this.id = makeNodeId(options.name ?? "main", randomBytes(4));
    this.kind = options.kind ?? "main";
    this.#session = options.session ?? `${this.id}.${randomHex(8)}`;
    this.#link = new Link<"client">({
      url: options.hub,
      dial: runtime.dial,
      token: options.token,
      hello: () => this.#hello(),
      onUp: (welcome) => this.#up(welcome),
      onDown: (reason) => {
        this.#state = "unknown";
        this.#transfers.down();
        options.onDown?.(reason);
      },
      onMessage: (message) => this.#receive(message),
      onNotice: (notice) => options.onNotice?.(notice),
      onWaiting: (error) => options.onWaiting?.(error),
      onFatal: (error) => this.#end("dropped", error),
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
    this.#arrivals = new Arrivals({ transfers, acknowledge: (seq) => this.#acknowledge(seq) });
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
      (receipt) => this.#taken(receipt),
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
        taken: (receipt) => this.#taken(receipt),
        cancel: (sink) => this.#cancel(sink),
        turn: nextTurn,
      },
      jobs,
    );
  }

  /** Results that earlier processes of this session did not acknowledge; jobs of theirs that still run follow as they end. */
  async *resume(): AsyncGenerator<Result, void> {
    this.#checkOpen();
    if (this.#missed !== undefined) throw new FlockworkError("bad_argument", "resume() can be called once.");
    const missed = (this.#missed = new Missed(this.#missedCount));
    this.#link.send({ t: "resume" });
    for await (const result of missed) {
      yield result;
      this.#taken(result.receipt);
    }
  }

  /** Leaves. A session with a name keeps its jobs going and its results; without a name they are given up. */
  async close(): Promise<void> {
    this.#sendAcks();
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

  #hello(): MessageOf<"hello"> {
    return {
      t: "hello",
      version: PROTOCOL_VERSION,
      software: this.#runtime.software,
      role: "client",
      kind: this.kind,
      id: this.id,
      session: this.#session,
      instance: this.#instance,
      domain: String(this.#options.domain ?? DEFAULT_DOMAIN),
      durable: this.#options.session !== undefined,
      ...(this.#since !== undefined && { since: this.#since }),
    };
  }

  #up(welcome: MessageOf<"welcome">): void {
    this.#state = "running";
    if (this.#since === undefined) {
      this.#since = welcome.nextSeq;
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
      this.#missed?.end();
    }
    this.#journal = welcome.hub;
    this.#sendAcks();
    if (this.#missed !== undefined && !this.#missed.ended) this.#link.send({ t: "resume" });
    this.#departures.resend();
    this.#transfers.up();
    // A cancel may have been lost with the link.
    const cancelled = this.#outstanding.cancelled();
    if (cancelled.length > 0) this.#link.send({ t: "cancel", runs: packRuns(cancelled) });
    this.#options.onUp?.();
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
        this.#solutions(message);
        break;
      case "unsolved": {
        const reasons = message.reasons.map(([node, code, text]) => ({ node, code, message: text }));
        const error = new JobError(message.code, message.message, reasons, reasons.at(-1)?.node);
        this.#settle(message.seq, (index, receipt) => new Unsolved(error, index, receipt));
        break;
      }
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

  #solutions(message: MessageOf<"solutions">): void {
    const payloads = unpackPayloads(message);
    const node = message.node as NodeId;
    const streams = new Map(message.streams);
    for (let i = 0; i < message.seqs.length; i++) {
      const payload = payloads[i];
      if (payload === undefined)
        throw new FlockworkError("bad_message", `"solutions" has fewer payloads than jobs.`);
      const seq = message.seqs[i]!;
      const size = streams.get(i);
      const arrived = (arrival: Arrival) =>
        this.#settle(seq, (index, receipt) => new Solution(arrival, node, index, receipt));
      if (size === undefined) arrived({ payload });
      else if (!this.#arrivals.knows(seq))
        this.#arrivals.add(seq, payload.kind, size, arrived, (error) =>
          this.#settle(seq, (index, receipt) => new Unsolved(unsendable(error), index, receipt)),
        );
    }
  }

  #settle(seq: number, result: (index: number, receipt: Receipt) => Result): void {
    const ticket = this.#outstanding.take(seq);
    if (ticket !== undefined) ticket.sink.settle(ticket.index, result(ticket.index, ticket));
    else if (this.#missed !== undefined && seq < (this.#since ?? 0))
      this.#missed.add(seq, result(seq, { seq, bytes: -1 }));
    // Seen before: the acknowledgement was lost with a link.
    else this.#acknowledge(seq);
  }

  /** Sends jobs; those that are large, or streams, are uploaded first. */
  #submit(
    options: Omit<MessageOf<"submit">, "seq" | "t" | "streams" | keyof PayloadColumns>,
    jobs: readonly (Payload | ByteStream)[],
    sink: Sink,
    index: number,
  ): number {
    const uploads = new Map<number, Upload>();
    const payloads = jobs.map((job, i): Payload => {
      const source = "source" in job ? job.source : job.bytes;
      if (source instanceof Uint8Array && source.length < STREAM_BYTES)
        return { kind: job.kind, bytes: source };
      uploads.set(i, this.#transfers.upload(source));
      return { kind: job.kind, bytes: NO_BYTES };
    });
    const streams = [...uploads].map(([i, { id }]): [number, string] => [i, id]);
    const sizes = payloads.map(({ bytes }, i) => uploads.get(i)?.bytes ?? bytes.length);
    const message = this.#outstanding.add(
      { t: "submit", ...options, ...packPayloads(payloads), ...(streams.length > 0 && { streams }) },
      sizes,
      sink,
      index,
    );
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
    this.#settle(seq, (index, receipt) => new Unsolved(error, index, receipt));
  }

  #taken(receipt: Receipt): void {
    if (receipt.bytes >= 0) this.#outstanding.leave(receipt);
    if (receipt.seq >= 0 && this.#arrivals.taken(receipt.seq)) this.#acknowledge(receipt.seq);
  }

  #acknowledge(seq: number): void {
    this.#acks.push(seq);
    if (this.#acksAsked) return;
    this.#acksAsked = true;
    onTickEnd(() => {
      this.#acksAsked = false;
      this.#sendAcks();
    });
  }

  #sendAcks(): void {
    if (this.#acks.length === 0) return;
    if (this.#link.sendLater({ t: "ack", runs: packRuns(this.#acks) })) this.#acks = [];
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
    this.#missed?.end();
  }
}
