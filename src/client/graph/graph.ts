// A graph of a flock as people use it: leaves, reading, keeping, ending. Building runs nothing; what a reader asks for becomes
// tasks of nodes, in computation.ts.
import { FlockworkError } from "../../ids/index.js";
import { GraphError } from "../../graph/error.js";
import { Expression, type Node } from "../../graph/expression.js";
import { tensor } from "../../graph/leaf.js";
import type { Owner } from "../../graph/owner.js";
import type { Plan } from "../../graph/plan.js";
import { Tensor, type DType, type TensorLike } from "../../tensor/index.js";
import type { GraphAnswer } from "./book.js";
import { explained } from "./bringing.js";
import { Computation } from "./computation.js";
import type { Origin } from "./cut.js";
import { GraphFailure } from "./failure.js";
import { placesOf } from "./fleet.js";
import type { GraphOptions } from "./graph-options.js";
import type { GraphHost, GraphMember } from "./host.js";
import type { OperatorFigures, Progress } from "./statistics.js";
import { WrongProduct } from "./verification.js";

/** A plan before it runs: what Raven's activate() tells. */
export interface GraphPlan extends Plan {
  /** The nodes there are, by id. */
  readonly participants: readonly string[];
}

/** How often a product that did not stand up to its check is computed again. */
const TRIES = 3;

export class Graph implements Owner, GraphMember {
  readonly name: string;
  readonly #host: GraphHost;
  readonly #work: Computation;
  #ending: Promise<void> | undefined = undefined;
  #stopped: FlockworkError | undefined = undefined;

  constructor(host: GraphHost, options: GraphOptions = {}) {
    this.#host = host;
    this.name = options.name ?? "graph";
    this.#work = new Computation(host, this, options);
  }

  /** Its name on the wire. */
  get id(): string {
    return this.#work.book.id;
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
    this.#check(expressions);
    const origins = this.#work.ask(expressions).then((origins) => {
      this.#work.want(origins);
      return origins;
    });
    // Bytes of one value need not wait for those of another.
    return Promise.all(expressions.map((x, i) => this.#read(x, origins, i)));
  }

  /** As value(). */
  read(x: Expression): Promise<Tensor> {
    return this.value(x);
  }

  /**
   * Has expressions computed and leaves their values with the nodes: what is read later begins there. Resolves when they are
   * there; rejects as value() does.
   */
  async compute(...expressions: readonly Expression[]): Promise<void> {
    this.#check(expressions);
    const origins = await this.#work.ask(expressions);
    this.#work.want(origins);
    await Promise.all(origins.map((origin) => this.#told(origin, () => this.#work.there(origin))));
  }

  /** How reading these would be done now: tasks, cost, participants. Runs nothing. */
  async plan(outputs: readonly Expression[] | Expression): Promise<GraphPlan> {
    const list = outputs instanceof Expression ? [outputs] : outputs;
    this.#check(list);
    const fleet = await this.#host.fleet();
    return { ...this.#work.planned(list, fleet).plan, participants: [...new Set(placesOf(fleet))] };
  }

  /** Has an expression computed and kept under a name until flock.delete(). Rejects with `name_taken`. */
  async persist(x: Expression, name: string): Promise<void> {
    this.#check([x]);
    const [origin] = await this.#work.ask([x]);
    // Only what a task has made can be kept: a tensor of ours goes through one.
    const ref =
      origin instanceof Tensor || !origin!.task.atHub ? this.#work.deposit(await this.value(x)) : origin!;
    await this.#told(ref, () => this.#work.checked(ref));
    await this.#told(ref, () => this.#work.book.persist(ref, name));
  }

  /** Lets go of values that were read; reading one again computes it again. */
  release(...expressions: readonly Expression[]): void {
    this.#work.release(expressions);
  }

  /** Operations that were asked for: done, under way, all, failed. */
  get progress(): Progress {
    return this.#work.statistics.progress;
  }

  /** Per operator: how many ran, and their share of the milliseconds that nodes say their tasks took. */
  statistics(): Readonly<Record<string, OperatorFigures>> {
    return this.#work.statistics.operators;
  }

  /**
   * Waits for what was asked for and ends the graph: its values go, but for those that were persisted. Rejects with a
   * GraphFailure that lists every operation that failed.
   */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /** An operation was built on leaves of this graph. For expressions. */
  built(node: Node): void {
    this.#work.built(node);
  }

  /** The hub's word on it. For the flock. */
  receive(message: GraphAnswer): void {
    this.#work.book.receive(message);
  }

  /** The link is up again. For the flock. */
  resend(same: boolean): void {
    this.#work.book.resend(same);
  }

  /** The tensor that was given under this number. For the flock. */
  given(number: number): Tensor | undefined {
    return this.#work.book.given(number);
  }

  /** The link has stopped for good. For the flock. */
  stop(error: FlockworkError): void {
    this.#stopped ??= error;
    this.#work.stop(error);
  }

  async #read(x: Expression, first: Promise<readonly Origin[]>, place: number): Promise<Tensor> {
    let origin = (await first)[place]!;
    for (let tried = 1; ; tried++)
      try {
        const value = await this.#told(origin, () => this.#work.bring(origin));
        await this.#work.checked(origin);
        return value;
      } catch (error) {
        if (!(error instanceof WrongProduct)) throw error;
        if (tried === TRIES) {
          this.#work.failures.push(error.failure);
          throw new GraphFailure(this.name, [error.failure]);
        }
        const again = await this.#work.ask([x]);
        this.#work.want(again);
        origin = again[0]!;
      }
  }

  /** Runs what may meet the error of a task, which is then told as people speak of it. */
  async #told<T>(origin: Origin, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw origin instanceof Tensor ? error : explained(this.name, origin, error);
    }
  }

  async #end(): Promise<void> {
    await this.#work.settled();
    await this.#work.book.finish();
    this.#host.left(this.id);
    if (this.#stopped !== undefined) throw this.#stopped;
    this.stop(ENDED);
    if (this.#work.failures.length > 0) throw new GraphFailure(this.name, this.#work.failures);
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

const ENDED = new FlockworkError("closed", "The graph has ended; begin another with flock.graph().");
