// A graph of a flock as people use it: leaves, reading, keeping, ending. Building runs nothing; what a reader asks for becomes
// tasks of nodes.
import { FlockworkError, randomHex } from "../../ids/index.js";
import { GraphError } from "../../graph/error.js";
import { Expression, type Node } from "../../graph/expression.js";
import { tensor } from "../../graph/leaf.js";
import type { Owner } from "../../graph/owner.js";
import { plan as planOf, type Plan } from "../../graph/plan.js";
import { unwritten } from "../../graph/program.js";
import { decodeTensor, Tensor, type DType, type TensorLike } from "../../tensor/index.js";
import { readStream } from "../../wire/index.js";
import { GraphBook, tensorHere, type GraphAnswer, type GraphMessage } from "./book.js";
import { cutGraph, type Origin } from "./cut.js";
import { failuresOf, GraphFailure, type OperationFailure } from "./failure.js";
import { capacityOf, placesOf, type FleetAnswer } from "./fleet.js";
import { checkGraphOptions, type GraphOptions } from "./graph-options.js";
import { siteHere, type Site } from "./operation.js";
import { isRef, type Ref, type TaskRecord } from "./record.js";
import { Statistics, type OperatorFigures, type Progress } from "./statistics.js";
import { submissionOf } from "./submission.js";

/** What a graph needs of the connection that it shares with others. */
export interface GraphHost {
  send(message: GraphMessage): void;
  fleet(): Promise<FleetAnswer>;
  /** The bytes of an output, as they come. */
  fetch(graph: string, output: readonly [number, number], bytes: number): AsyncIterable<Uint8Array>;
  /** The graph is over. */
  left(id: string): void;
}

/** A plan before it runs: what Raven's activate() tells. */
export interface GraphPlan extends Plan {
  /** The nodes there are, by id. */
  readonly participants: readonly string[];
}

interface Reading {
  readonly expressions: readonly Expression[];
  resolve(origins: readonly Origin[]): void;
  reject(error: unknown): void;
}

/** Outputs of one program; more are read in several. */
const OUTPUTS_AT_ONCE = 4000;
/** How often a value is asked for again when its bytes do not come. */
const TRIES = 5;

export class Graph implements Owner {
  readonly name: string;
  /** Its name on the wire. */
  readonly id = randomHex(16);
  readonly #host: GraphHost;
  readonly #book: GraphBook;
  readonly #eager: boolean;
  readonly #sites = new WeakMap<Node, Site>();
  readonly #known = new WeakMap<Node, Map<number, Origin>>();
  readonly #statistics = new Statistics();
  readonly #failures: OperationFailure[] = [];
  /** Lets go of values that nobody can read any more; release() and end() are the rule. */
  readonly #forgotten = new FinalizationRegistry<readonly Ref[]>((refs) => this.#book.release(refs));
  #readings: Reading[] = [];
  #flushing: Promise<void> | undefined = undefined;
  #built: Node[] = [];
  #planning = false;
  #ending: Promise<void> | undefined = undefined;
  #stopped: FlockworkError | undefined = undefined;

  constructor(host: GraphHost, options: GraphOptions = {}) {
    const task = checkGraphOptions(options);
    this.#host = host;
    this.name = options.name ?? "graph";
    this.#eager = options.eager ?? false;
    this.#book = new GraphBook({
      graph: this.id,
      send: (message) => host.send(message),
      task,
      done: (record, ms) => this.#statistics.done(record.operations, ms),
      failed: (record) => this.#failed(record),
    });
  }

  /** A value known now: where expressions of this graph begin. Takes what flockwork/graph's tensor() does. */
  tensor(
    value: TensorLike,
    options: { readonly dtype?: DType; readonly shape?: readonly number[]; readonly name?: string } = {},
  ): Expression {
    this.#checkOpen();
    const leaf = tensor(value, options);
    leaf.node.owner = this;
    return leaf;
  }

  /** The value of one expression, computed by nodes. Rejects with a GraphFailure that names what failed. */
  async value(x: Expression): Promise<Tensor> {
    return (await this.values([x]))[0]!;
  }

  /** The values of several, from one program. */
  async values(expressions: readonly Expression[]): Promise<Tensor[]> {
    const origins = await this.#ask(expressions);
    return Promise.all(origins.map((origin) => this.#bring(origin)));
  }

  /** As value(). */
  read(x: Expression): Promise<Tensor> {
    return this.value(x);
  }

  /** How reading these would be done now: tasks, cost, participants. Runs and sends nothing. */
  async plan(outputs: readonly Expression[] | Expression): Promise<GraphPlan> {
    const list = outputs instanceof Expression ? [outputs] : outputs;
    this.#check(list);
    const fleet = await this.#host.fleet();
    return { ...this.#planned(list, fleet).plan, participants: [...new Set(placesOf(fleet))] };
  }

  /** Has an expression computed and kept under a name until flock.delete(). Rejects with `name_taken`. */
  async persist(x: Expression, name: string): Promise<void> {
    const [origin] = await this.#ask([x], false);
    const ref = origin instanceof Tensor ? await this.#deposited(origin) : origin!;
    await this.#book.persist(ref, name).catch((error: unknown) => {
      throw this.#explained(ref, error);
    });
  }

  /** Lets go of values that were read; reading one again computes it again. */
  release(...expressions: readonly Expression[]): void {
    const refs = expressions.flatMap(({ node, index }) => {
      const known = this.#known.get(node)?.get(index);
      this.#known.get(node)?.delete(index);
      return known === undefined || known instanceof Tensor ? [] : [known];
    });
    this.#book.release(refs);
  }

  /** Operations that were asked for: done, under way, all, failed. */
  get progress(): Progress {
    return this.#statistics.progress;
  }

  /** Per operator: how many ran, and their share of the milliseconds that nodes say their tasks took. */
  statistics(): Readonly<Record<string, OperatorFigures>> {
    return this.#statistics.operators;
  }

  /**
   * Waits for what was asked for and ends the graph: its values go, but for those that were persisted. Rejects with a
   * GraphFailure that lists every operation that failed.
   */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /** The hub's word on it. For the flock. */
  receive(message: GraphAnswer): void {
    this.#book.receive(message);
  }

  /** The link is up again. For the flock. */
  resend(same: boolean): void {
    this.#book.resend(same);
  }

  /** The tensor that was given under this number. For the flock. */
  given(number: number): Tensor | undefined {
    return this.#book.given(number);
  }

  /** The link has stopped for good. For the flock. */
  stop(error: FlockworkError): void {
    this.#stopped = error;
    this.#book.close(error);
  }

  /** An operation was built on leaves of this graph. */
  built(node: Node): void {
    if (this.#planning) return;
    const site = siteHere();
    if (site !== undefined) this.#sites.set(node, site);
    if (!this.#eager) return;
    this.#built.push(node);
    this.#flush();
  }

  #ask(expressions: readonly Expression[], wanted = true): Promise<readonly Origin[]> {
    this.#check(expressions);
    const asked = new Promise<readonly Origin[]>((resolve, reject) => {
      this.#readings.push({ expressions, resolve, reject });
    });
    this.#flush();
    return wanted
      ? asked.then((origins) => {
          this.#book.want(origins.filter((origin) => isRef(origin)));
          return origins;
        })
      : asked;
  }

  /** What is asked for in one turn is computed together. */
  #flush(): void {
    this.#flushing ??= this.#host
      .fleet()
      .then(
        (fleet) => this.#computeAll(fleet),
        (error: unknown) => {
          for (const { reject } of this.#readings.splice(0)) reject(error);
        },
      )
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  #computeAll(fleet: FleetAnswer): void {
    for (const node of this.#built.splice(0)) {
      const outputs = node.types.map((_, i) => new Expression(node, i));
      try {
        this.#compute(outputs, { ...fleet, nodes: [] });
      } catch (error) {
        // Whoever reads it is told; an eager graph computes what it can.
        if (!(error instanceof GraphError)) throw error;
      }
    }
    const readings = this.#readings.splice(0);
    try {
      this.#compute(
        readings.flatMap(({ expressions }) => expressions),
        fleet,
      );
    } catch (error) {
      if (readings.length < 2) {
        for (const { reject } of readings) reject(error);
        return;
      }
    }
    for (const { expressions, resolve, reject } of readings)
      try {
        this.#compute(expressions, fleet);
        resolve(expressions.map(({ node, index }) => this.#known.get(node)!.get(index)!));
      } catch (error) {
        reject(error);
      }
  }

  /** Sends the tasks that make these, so that each is known. */
  #compute(expressions: readonly Expression[], fleet: FleetAnswer): void {
    if (this.#stopped !== undefined) throw this.#stopped;
    const wanted = expressions.filter(({ node, index }) => {
      const value = node.source?.value;
      if (value !== undefined) this.#learn(node, index, value);
      return !this.#known.get(node)?.has(index);
    });
    for (let at = 0; at < wanted.length; at += OUTPUTS_AT_ONCE)
      this.#submit(wanted.slice(at, at + OUTPUTS_AT_ONCE), fleet);
  }

  #submit(wanted: readonly Expression[], fleet: FleetAnswer): void {
    const { plan, origins, names } = this.#planned(wanted, fleet);
    const { tasks, outputs } = submissionOf(plan, origins, {
      give: (value) => this.#book.give(value),
      sites: this.#sites,
    });
    const records = this.#book.submit(tasks);
    for (const { operations } of records) this.#statistics.asked(operations.length);
    const made = outputs(records);
    const refs = new Map<Ref, Node>();
    wanted.forEach(({ node, index }, i) => {
      if (this.#known.get(node)?.has(index)) return;
      const origin = made.get(names[i]!)!;
      this.#learn(node, index, origin);
      if (isRef(origin)) refs.set(origin, node);
    });
    this.#book.hold([...refs.keys()]);
    for (const [ref, node] of refs) this.#forgotten.register(node, [ref]);
    this.#book.passing(records);
  }

  /** The plan for the parts of these that are not known yet. */
  #planned(expressions: readonly Expression[], fleet: FleetAnswer) {
    this.#planning = true;
    try {
      const cut = cutGraph(
        expressions,
        ({ node, index }) => {
          const known = this.#known.get(node)?.get(index);
          return known === undefined || known instanceof Tensor ? undefined : known;
        },
        (node) => node.owner === this,
      );
      const names = cut.outputs.map((_, i) => `y${i}`);
      const p = unwritten({
        inputs: cut.inputs,
        outputs: Object.fromEntries(cut.outputs.map((x, i) => [names[i]!, x])),
      });
      return { plan: planOf(p, capacityOf(fleet)), origins: cut.origins, names };
    } finally {
      this.#planning = false;
    }
  }

  #learn(node: Node, index: number, origin: Origin): void {
    const own = this.#known.get(node) ?? new Map<number, Origin>();
    this.#known.set(node, own.set(index, origin));
  }

  /** The tensor itself, fetched where it is large. */
  async #bring(origin: Origin): Promise<Tensor> {
    if (origin instanceof Tensor) return origin;
    for (let tried = 1; ; tried++)
      try {
        const { bytes } = await this.#book.arrival(origin);
        const here = tensorHere(origin);
        if (here !== undefined) return here;
        const output = [origin.task.number, origin.output] as const;
        return decodeTensor(await readStream(this.#host.fetch(this.id, output, bytes), bytes));
      } catch (error) {
        const gone = error instanceof FlockworkError && LOST.has(error.code);
        if (!gone || origin.task.failure !== undefined || tried === TRIES)
          throw this.#explained(origin, error);
        this.#book.ask(origin);
      }
  }

  /** A task of nothing but its input, so that a tensor of the client's can be kept under a name. */
  async #deposited(value: Tensor): Promise<Ref> {
    const leaf = this.tensor(value);
    const [origin] = await this.#ask([leaf.positive()], false);
    if (origin instanceof Tensor || origin === undefined) throw new Error("positive() made no task");
    return origin;
  }

  #failed(record: TaskRecord): void {
    this.#statistics.failed(record.operations.length);
    if (record.failure?.code === "input_failed") return;
    this.#failures.push(...failuresOf(record.operations, record.failure!));
  }

  /** An error of a task, with the operations that are to blame. */
  #explained(ref: Ref, error: unknown): unknown {
    if (ref.task.failure === undefined) return error;
    const roots = new Set<TaskRecord>();
    const seen = new Set<TaskRecord>();
    const stack = [ref.task];
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      if (seen.has(task)) continue;
      seen.add(task);
      if (task.failure?.code === "input_failed")
        stack.push(...task.inputs.filter(isRef).map((input) => input.task));
      else if (task.failure !== undefined) roots.add(task);
    }
    if (roots.size === 0) roots.add(ref.task);
    return new GraphFailure(
      this.name,
      [...roots].flatMap(({ operations, failure }) => failuresOf(operations, failure!)),
    );
  }

  async #end(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    await this.#book.settled();
    await this.#book.finish();
    this.#host.left(this.id);
    const closed = this.#stopped ?? ENDED;
    this.stop(closed);
    if (closed !== ENDED) throw closed;
    if (this.#failures.length > 0) throw new GraphFailure(this.name, this.#failures);
  }

  #check(expressions: readonly Expression[]): void {
    this.#checkOpen();
    for (const x of expressions) {
      if (!(x instanceof Expression))
        throw new GraphError(`graph "${this.name}" reads expressions, not a ${typeof x}`);
      if (x.node.owner !== undefined && x.node.owner !== this)
        throw new GraphError(
          `${String(x)} belongs to the graph "${x.node.owner.name}", not to "${this.name}"; read it there`,
        );
    }
  }

  #checkOpen(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
    if (this.#ending !== undefined) throw ENDED;
  }
}

/** What a fetch ends with where the value can be had again. */
const LOST = new Set(["value_lost", "hub_lost", "node_lost", "stream_lost"]);
const ENDED = new FlockworkError("closed", "The graph has ended; begin another with flock.graph().");
