// What a graph has asked nodes to compute: which expressions are known by which outputs, and the way from expressions to tasks.
import { FlockworkError, randomHex } from "../../ids/index.js";
import { GraphError } from "../../graph/error.js";
import { Expression, type Node } from "../../graph/expression.js";
import type { Owner } from "../../graph/owner.js";
import { plan, type Plan } from "../../graph/plan.js";
import { input } from "../../graph/leaf.js";
import { program, unwritten } from "../../graph/program.js";
import { Tensor } from "../../tensor/index.js";
import { GraphBook } from "./book.js";
import { bring } from "./bringing.js";
import { cutGraph, type Origin } from "./cut.js";
import { failuresOf, type OperationFailure } from "./failure.js";
import { capacityOf, type FleetAnswer } from "./fleet.js";
import { checkGraphOptions, type GraphOptions } from "./graph-options.js";
import type { GraphHost } from "./host.js";
import { siteHere, type Site } from "./operation.js";
import { isRef, type Ref, type TaskRecord } from "./record.js";
import { Statistics } from "./statistics.js";
import { recordOf, submissionOf } from "./submission.js";
import { checkProducts, piecesOf, productsOf, WrongProduct, type Evidence } from "./verification.js";

interface Asked {
  readonly expressions: readonly Expression[];
  resolve(origins: readonly Origin[]): void;
  reject(error: unknown): void;
}

interface Planned {
  readonly plan: Plan;
  readonly origins: ReadonlyMap<string, Origin>;
  /** The plan's output for each expression, and for what else is wanted for checks. */
  readonly names: ReadonlyMap<Expression, string>;
  /** The products to be checked, in the cut graph. */
  readonly products: ReturnType<typeof productsOf>;
}

/** Outputs of one program; more are computed by several. */
const OUTPUTS_AT_ONCE = 4000;

export class Computation {
  readonly book: GraphBook;
  readonly statistics = new Statistics();
  readonly failures: OperationFailure[] = [];
  readonly #host: GraphHost;
  readonly #owner: Owner;
  readonly #eager: boolean;
  readonly #verify: boolean;
  readonly #sites = new WeakMap<Node, Site>();
  readonly #known = new WeakMap<Node, Map<number, Origin>>();
  /** The check of what was submitted together, where there is one. */
  readonly #checks = new WeakMap<TaskRecord, Promise<void>>();
  /** Lets go of values that nobody can read any more; release() and end() are the rule. */
  readonly #forgotten = new FinalizationRegistry<readonly Ref[]>((refs) => this.book.release(refs));
  #asked: Asked[] = [];
  #built: Node[] = [];
  #flushing: Promise<void> | undefined = undefined;
  #planning = false;
  #stopped: FlockworkError | undefined = undefined;

  constructor(host: GraphHost, owner: Owner, options: GraphOptions) {
    const task = checkGraphOptions(options);
    this.#host = host;
    this.#owner = owner;
    this.#eager = options.eager ?? false;
    this.#verify = options.verify === "freivalds";
    this.book = new GraphBook({
      graph: randomHex(16),
      send: (message) => host.send(message),
      task,
      done: (record, ms) => this.statistics.done(record.operations, ms),
      failed: (record) => this.#failed(record),
    });
  }

  /** Where the values of these are, or will be: the tasks are under way. Throws a GraphError where there can be none. */
  ask(expressions: readonly Expression[]): Promise<readonly Origin[]> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ expressions, resolve, reject });
      this.#flush();
    });
  }

  want(origins: readonly Origin[]): void {
    this.book.want(origins.filter((origin) => isRef(origin)));
  }

  /** Resolves when a wanted value is there, wherever that is. */
  async there(origin: Origin): Promise<void> {
    if (!(origin instanceof Tensor)) await this.book.arrival(origin);
  }

  bring(origin: Origin): Promise<Tensor> {
    return origin instanceof Tensor ? Promise.resolve(origin) : bring(this.book, this.#host.fetch, origin);
  }

  /** Resolves when what was computed with it has stood up to its check. Rejects with a WrongProduct. */
  async checked(origin: Origin): Promise<void> {
    if (!(origin instanceof Tensor)) await this.#checks.get(origin.task);
  }

  /** An operation was built. */
  built(node: Node): void {
    if (this.#planning) return;
    const site = siteHere();
    if (site !== undefined) this.#sites.set(node, site);
    if (!this.#eager) return;
    this.#built.push(node);
    this.#flush();
  }

  release(expressions: readonly Expression[]): void {
    const refs = expressions.flatMap(({ node, index }) => {
      const known = this.#known.get(node)?.get(index);
      this.#known.get(node)?.delete(index);
      return known === undefined || known instanceof Tensor ? [] : [known];
    });
    this.book.release(refs);
  }

  /** A task of nothing but its input: its output is the value, with a node. */
  deposit(value: Tensor): Ref {
    const p = program({ outputs: { y: input("x", value.dtype, value.shape) } });
    const [task] = this.book.submit([
      () => ({
        program: recordOf(p),
        inputs: [this.book.give(value)],
        outputs: 1,
        flops: 0,
        memory: 2 * value.bytes,
        operations: [],
      }),
    ]);
    const ref = { task: task!, output: 0 };
    this.book.hold([ref]);
    return ref;
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    await this.book.settled();
  }

  stop(error: FlockworkError): void {
    this.#stopped ??= error;
    this.book.close(error);
  }

  /** The plan for the parts of these that are not known yet. */
  planned(expressions: readonly Expression[], fleet: FleetAnswer): Planned {
    this.#planning = true;
    try {
      const cut = cutGraph(
        expressions,
        ({ node, index }) => {
          const known = this.#known.get(node)?.get(index);
          return known === undefined || known instanceof Tensor ? undefined : known;
        },
        (node) => node.owner === this.#owner,
      );
      const products = this.#verify ? productsOf(cut.outputs) : [];
      const names = new Map<Expression, string>();
      const outputs: Record<string, Expression> = {};
      const places = new Map<Node, Map<number, string>>();
      const output = (x: Expression, as: Expression): void => {
        const own = places.get(as.node) ?? new Map<number, string>();
        places.set(as.node, own);
        const name = own.get(as.index) ?? `y${Object.keys(outputs).length}`;
        own.set(as.index, name);
        outputs[name] = as;
        names.set(x, name);
      };
      expressions.forEach((x, i) => output(x, cut.outputs[i]!));
      for (const x of products.flatMap(({ a, b, c }) => [a, b, c])) output(x, x);
      const p = unwritten({ inputs: cut.inputs, outputs });
      return { plan: plan(p, capacityOf(fleet)), origins: cut.origins, names, products };
    } finally {
      this.#planning = false;
    }
  }

  /** What is asked for in one turn is computed together. */
  #flush(): void {
    this.#flushing ??= this.#host
      .fleet()
      .then(
        (fleet) => this.#computeAll(fleet),
        (error: unknown) => {
          for (const { reject } of this.#asked.splice(0)) reject(error);
        },
      )
      .finally(() => {
        this.#flushing = undefined;
        if (this.#asked.length + this.#built.length > 0) this.#flush();
      });
  }

  #computeAll(fleet: FleetAnswer): void {
    for (const node of this.#built.splice(0))
      try {
        const outputs = node.types.map((_, i) => new Expression(node, i));
        // One operation is one task: nothing is cut.
        this.#compute(outputs, { ...fleet, nodes: [] });
      } catch (error) {
        // Whoever reads it is told.
        if (!(error instanceof GraphError) && error !== this.#stopped) throw error;
      }
    const asked = this.#asked.splice(0);
    if (asked.length > 1)
      try {
        this.#compute(
          asked.flatMap(({ expressions }) => expressions),
          fleet,
        );
      } catch (error) {
        // One of them is to blame: each is tried by itself below.
        if (!(error instanceof GraphError) && error !== this.#stopped) throw error;
      }
    for (const { expressions, resolve, reject } of asked)
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
    const { plan, origins, names, products } = this.planned(wanted, fleet);
    const { tasks, outputs } = submissionOf(plan, origins, {
      give: (value) => this.book.give(value),
      sites: this.#sites,
    });
    const records = this.book.submit(tasks);
    for (const { operations } of records) this.statistics.asked(operations.length);
    const made = outputs(records);
    const originOf = (x: Expression): Origin => made.get(names.get(x)!)!;
    for (const x of wanted) {
      const { node, index } = x;
      if (this.#known.get(node)?.has(index)) continue;
      const origin = originOf(x);
      this.#learn(node, index, origin);
      if (!isRef(origin)) continue;
      this.book.hold([origin]);
      this.#forgotten.register(node, [origin]);
    }
    if (products.length > 0)
      this.#check(
        records,
        wanted,
        products.map(({ a, b, c }) => ({ node: c.node, a: originOf(a), b: originOf(b), c: originOf(c) })),
      );
    this.book.passing(records);
  }

  /** Has products checked; where one is wrong, nothing of what was made with it is known any more. */
  #check(records: readonly TaskRecord[], wanted: readonly Expression[], evidence: readonly Evidence[]): void {
    const refs = evidence.flatMap(({ a, b, c }) => [a, b, c].filter((origin) => isRef(origin)));
    // The hub knows who made what is held.
    const pieces = evidence.flatMap(({ c }) => piecesOf(c));
    this.book.hold([...refs, ...pieces]);
    this.book.want(refs);
    const check = checkProducts(evidence, (ref) => this.bring(ref), this.#sites)
      .catch((error: unknown) => {
        if (error instanceof WrongProduct) {
          if (error.culprit !== undefined) this.book.distrust(error.culprit, error.message);
          this.release(wanted);
        }
        throw error;
      })
      .finally(() => this.book.release([...refs, ...pieces]));
    check.catch(() => undefined);
    for (const record of records) this.#checks.set(record, check);
  }

  #learn(node: Node, index: number, origin: Origin): void {
    const own = this.#known.get(node) ?? new Map<number, Origin>();
    this.#known.set(node, own.set(index, origin));
  }

  #failed(record: TaskRecord): void {
    this.statistics.failed(record.operations.length);
    if (record.failure?.code !== "input_failed")
      this.failures.push(...failuresOf(record.operations, record.failure!));
  }
}
