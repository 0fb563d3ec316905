// A client of a flock: graphs, whole programs and kept values, over a link that breaks and comes back.
import {
  FlockworkError,
  makeNodeId,
  randomBytes,
  randomHex,
  type NodeId,
  type NodeState,
} from "../../ids/index.js";
import { decodeTensor, tensorHeader, type Tensor } from "../../tensor/index.js";
import {
  CHUNK_BYTES,
  type Link,
  Serving,
  Transfers,
  type MessageFrom,
  type MessageOf,
  type Served,
} from "../../wire/index.js";
import { clientLink, type ClientLinkOptions, type ClientRuntime } from "../client-link.js";
import { FleetView } from "./fleet.js";
import type { Program } from "../../graph/program.js";
import { Graph } from "./graph.js";
import type { GraphOptions } from "./graph-options.js";
import type { GraphHost, GraphMember } from "./host.js";
import { Questions } from "./questions.js";
import { Runs, type RunInputs, type RunOptions, type RunOutputs } from "./runs.js";

export interface FlockOptions extends ClientLinkOptions {
  /** Name part of the client's id, 28 bytes at most. Default "client". */
  readonly name?: string;
}

/** The most bytes of a kept value. */
const MAX_KEPT_BYTES = 1024 ** 3;

export class Flock {
  readonly id: NodeId;
  readonly #link: Link<"client">;
  readonly #serving: Serving;
  readonly #questions: Questions;
  readonly #fleet: FleetView;
  readonly #graphs = new Map<string, GraphMember>();
  readonly #host: GraphHost;
  readonly #runs: Runs;
  #transfers: Transfers;
  #boot: string | undefined = undefined;
  #since: number | undefined = undefined;
  #state: NodeState = "unknown";

  protected constructor(options: FlockOptions, runtime: ClientRuntime) {
    this.id = makeNodeId(options.name ?? "client", randomBytes(4));
    this.#link = clientLink(options, runtime, {
      id: this.id,
      kind: "main",
      session: `${this.id}.${randomHex(8)}`,
      durable: false,
      since: () => this.#since,
      up: (welcome) => this.#up(welcome),
      down: () => {
        this.#state = "unknown";
        this.#serving.down();
        this.#transfers.down();
      },
      receive: (message) => this.#receive(message),
      fatal: (error) => this.#end("dropped", error),
    });
    this.#transfers = new Transfers(this.#link);
    this.#serving = new Serving(this.#link, (of) => this.#served(of));
    this.#questions = new Questions((message) => this.#link.send(message));
    this.#fleet = new FleetView(async () => {
      const answer = await this.#questions.ask({ t: "survey" });
      if (answer.t !== "fleet") throw new Error("a survey was answered with names");
      return answer;
    });
    this.#host = {
      send: (message) => this.#link.send(message),
      fleet: () => this.#fleet.get(),
      fetch: (graph, output, bytes) => this.#transfers.fetch({ graph, output: [...output] }, bytes),
      entered: (graph) => this.#graphs.set(graph.id, graph),
      left: (id) => this.#graphs.delete(id),
    };
    this.#runs = new Runs(this.#host);
  }

  /** Joins a hub; waits for one as long as none answers. Rejects with `version_mismatch`, `unauthorized`. */
  static async start(options: FlockOptions, runtime: ClientRuntime): Promise<Flock> {
    const flock = new Flock(options, runtime);
    await flock.#link.connect();
    return flock;
  }

  get state(): NodeState {
    return this.#state;
  }

  /** A graph: expressions built on its tensors are computed by this flock when they are read. */
  graph(options: GraphOptions = {}): Graph {
    this.#checkOpen();
    const graph = new Graph(this.#host, options);
    this.#graphs.set(graph.id, graph);
    return graph;
  }

  /**
   * Runs one program whole on one node. `inputs` by name; those with an initial value may be left out. Rejects with a GraphError
   * for inputs that do not fit, and with a GraphFailure that says what failed and where.
   */
  async run(program: Program, inputs: RunInputs = {}, options: RunOptions = {}): Promise<RunOutputs> {
    this.#checkOpen();
    return this.#runs.run(program, inputs, options);
  }

  /**
   * Runs a program on each of many inputs: results in their order, as many under way as keep the flock busy. Batches are read
   * as results are taken. Ends with the error of the first that failed.
   */
  map(
    program: Program,
    batches: AsyncIterable<RunInputs> | Iterable<RunInputs>,
    options: RunOptions = {},
  ): AsyncGenerator<RunOutputs, void> {
    this.#checkOpen();
    return this.#runs.map(program, batches, options);
  }

  /** What is kept under a name by persist(). Rejects with `unknown_name`. */
  async fetch(name: string): Promise<Tensor> {
    for (;;)
      try {
        this.#checkOpen();
        return decodeTensor(await gather(this.#transfers.fetch({ persisted: name }, MAX_KEPT_BYTES)));
      } catch (error) {
        // Another hub keeps it too.
        if (!(error instanceof FlockworkError) || error.code !== "hub_lost") throw error;
      }
  }

  /** The names under which values are kept, and how many bytes each has. */
  async names(): Promise<Map<string, number>> {
    this.#checkOpen();
    return this.#names({ t: "kept_names" });
  }

  /** Deletes what is kept under a name. Rejects with `unknown_name`. */
  async delete(name: string): Promise<void> {
    this.#checkOpen();
    await this.#names({ t: "kept_names", delete: name });
  }

  /** Leaves: graphs that have not ended are over, and their values go. */
  async close(): Promise<void> {
    this.#end("stopped", new FlockworkError("closed", `The client ${this.id} was closed.`));
    await this.#link.close();
  }

  /** Cuts the link as a broken network would. For tests. */
  drop(): void {
    this.#link.drop();
  }

  async #names(question: Omit<MessageOf<"kept_names">, "request">): Promise<Map<string, number>> {
    const answer = await this.#questions.ask(question);
    if (answer.t !== "names") throw new Error("names were answered with a fleet");
    if (answer.code !== undefined) throw new FlockworkError(answer.code, answer.message ?? "");
    return new Map(answer.names);
  }

  #up(welcome: MessageOf<"welcome">): void {
    this.#state = "running";
    this.#since ??= welcome.nextSeq;
    const boot = welcome.boot ?? welcome.hub;
    const same = this.#boot === boot;
    const first = this.#boot === undefined;
    this.#boot = boot;
    if (!first && !same) {
      // What was being fetched has another number at this hub; whoever reads it asks again.
      const before = this.#transfers;
      this.#transfers = new Transfers(this.#link);
      before.close(new FlockworkError("hub_lost", "The hub that held this value has restarted."));
    }
    if (!first) for (const graph of this.#graphs.values()) graph.resend(same);
    this.#questions.resend();
    this.#transfers.up();
  }

  #receive(message: MessageFrom<"hub">): void {
    switch (message.t) {
      case "done":
      case "undone":
      case "value":
      case "ended":
      case "persisted":
        this.#graphs.get(message.graph)?.receive(message);
        break;
      case "fleet":
      case "names":
        this.#questions.answered(message);
        break;
      case "fetch":
        this.#serving.receive(message);
        break;
      case "grant":
      case "broken":
        if (!this.#serving.receive(message)) this.#transfers.receive(message);
        break;
      case "kept":
      case "chunk":
      case "end":
        this.#transfers.receive(message);
        break;
      case "welcome":
      case "notice":
      case "beat":
        break;
      default:
        throw new FlockworkError("bad_message", `A client of graphs has no use for "${message.t}".`);
    }
  }

  /** What the hub asks for: a tensor that was given. */
  #served(of: MessageOf<"fetch">["of"]): Served {
    const tensor = "graph" in of && "given" in of ? this.#graphs.get(of.graph)?.given(of.given) : undefined;
    if (tensor === undefined)
      throw new FlockworkError("value_lost", "The client does not have this tensor any more.");
    return { source: sourceOf(tensor) };
  }

  #checkOpen(): void {
    if (this.#state === "stopped" || this.#state === "dropped")
      throw new FlockworkError("closed", `The client ${this.id} is closed; connect again.`);
  }

  #end(state: NodeState, error: FlockworkError): void {
    if (this.#state === "stopped" || this.#state === "dropped") return;
    this.#state = state;
    for (const graph of this.#graphs.values()) graph.stop(error);
    this.#graphs.clear();
    this.#questions.close(error);
    this.#serving.down();
    this.#transfers.close(error);
  }
}

async function gather(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    bytes += piece.length;
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A tensor's bytes as they travel, without a copy of the whole. */
function sourceOf(tensor: Tensor): Served["source"] {
  const header = tensorHeader(tensor);
  const data = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.bytes);
  return {
    again: async function* (offset) {
      if (offset < header.length) yield header.subarray(offset);
      const from = Math.max(0, offset - header.length);
      for (let at = from; at < data.length; at += CHUNK_BYTES) yield data.subarray(at, at + CHUNK_BYTES);
    },
  };
}
