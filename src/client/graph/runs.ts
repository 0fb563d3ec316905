// Whole programs, awaited one by one: each is a task. They share graphs of nobody's own, which are ended now and then, since only
// a graph's end lets go of what was given to it.
import type { Program } from "../../graph/program.js";
import { Tensor, toTensor, type TensorLike } from "../../tensor/index.js";
import { FlockworkError, randomHex } from "../../ids/index.js";
import { GraphBook } from "./book.js";
import { bring, explained } from "./bringing.js";
import { checkGraphOptions, type GraphOptions } from "./graph-options.js";
import { operationsOf, type Operation } from "./operation.js";
import type { Cost } from "../../graph/cost.js";
import type { NewTask, ProgramRecord } from "./record.js";
import { recordOf } from "./submission.js";
import type { GraphHost } from "./host.js";
import { Lane } from "./lane.js";

export type RunOptions = Pick<GraphOptions, "needs" | "timeoutMs" | "priority" | "replicas">;
/** Values of a program's inputs by name; those that have an initial value may be left out. */
export type RunInputs = Readonly<Record<string, TensorLike>>;
export type RunOutputs = Record<string, Tensor>;

/** What is known of a program from its runs before. */
interface Prepared {
  readonly record: ProgramRecord;
  readonly operations: readonly Operation[];
  /** By the lengths of its symbols. */
  readonly costs: Map<string, Cost>;
}

/** Tasks and bytes after which a graph is followed by another. */
const TASKS = 5000;
const BYTES = 256 * 1024 * 1024;
/** Batches of map() under way for each slot, at least, and at most while they are small. */
const LEAST_AHEAD = 2;
const MOST_AHEAD = 64;
/** Bytes of batches under way that are still small. */
const SMALL_AHEAD = 64 * 1024 * 1024;
const NO_SITES = new WeakMap<never, never>();

export class Runs {
  readonly #host: GraphHost;
  readonly #lanes = new Map<string, Lane>();
  readonly #prepared = new WeakMap<Program, Prepared>();

  constructor(host: GraphHost) {
    this.#host = host;
  }

  /** Throws a GraphError where an input is missing, unknown or does not fit. */
  async run(program: Program, inputs: RunInputs, options: RunOptions): Promise<RunOutputs> {
    const task = checkGraphOptions(options);
    const feeds = program.feeds(tensorsOf(program, inputs));
    const values = program.inputs.map(({ slot }) => feeds[slot]!);
    const lane = this.#lane(JSON.stringify(task), task);
    for (const value of values)
      if (!lane.counted.has(value)) {
        lane.counted.add(value);
        lane.bytes += value.bytes;
      }
    lane.tasks++;
    lane.under++;
    try {
      const made = await lane.begin(() => this.#task(lane.book, program, values));
      const refs = program.outputs.map((_, output) => ({ task: made, output }));
      try {
        const results = await Promise.all(refs.map((ref) => bring(lane.book, this.#host.fetch, ref)));
        return Object.fromEntries(program.outputs.map(({ name }, i) => [name, results[i]!]));
      } catch (error) {
        throw explained("run", refs[0]!, error);
      } finally {
        lane.release(refs);
      }
    } finally {
      lane.under--;
      this.#turn(lane);
    }
  }

  /** Results in the order of the batches; so many are under way as keep the flock busy, and no more are read. */
  async *map(
    program: Program,
    batches: AsyncIterable<RunInputs> | Iterable<RunInputs>,
    options: RunOptions,
  ): AsyncGenerator<RunOutputs, void> {
    const under: { readonly result: Promise<RunOutputs>; readonly bytes: number }[] = [];
    let bytes = 0;
    for await (const batch of batches) {
      const given = tensorsOf(program, batch);
      const own = Object.values(given).reduce((sum, tensor) => sum + tensor.bytes, 0);
      const result = this.run(program, given, options);
      // Read in its turn; until then an error is no unhandled one.
      result.catch(() => undefined);
      under.push({ result, bytes: own });
      bytes += own;
      const { nodes } = await this.#host.fleet();
      const slots = Math.max(
        1,
        nodes.reduce((sum, { slots }) => sum + slots, 0),
      );
      while (under.length >= slots * (bytes < SMALL_AHEAD ? MOST_AHEAD : LEAST_AHEAD)) {
        const first = under.shift()!;
        bytes -= first.bytes;
        yield await first.result;
      }
    }
    for (const { result } of under) yield await result;
  }

  #task(book: GraphBook, program: Program, values: readonly Tensor[]): NewTask {
    const { record, operations, costs } = this.#prepare(program);
    const lengths = lengthsOf(program, values);
    const key = JSON.stringify(lengths);
    const cost = costs.get(key) ?? program.cost(lengths);
    costs.set(key, cost);
    return {
      program: record,
      inputs: values.map((value) => book.give(value)),
      outputs: program.outputs.length,
      flops: cost.flops,
      memory: cost.bytes,
      operations,
    };
  }

  #prepare(program: Program): Prepared {
    let prepared = this.#prepared.get(program);
    if (prepared === undefined) {
      prepared = {
        record: recordOf(program),
        operations: operationsOf(program.graph.nodes, NO_SITES),
        costs: new Map(),
      };
      this.#prepared.set(program, prepared);
    }
    return prepared;
  }

  #lane(key: string, task: ReturnType<typeof checkGraphOptions>): Lane {
    let lane = this.#lanes.get(key);
    if (lane !== undefined && (lane.tasks >= TASKS || lane.bytes >= BYTES)) {
      this.#lanes.delete(key);
      this.#turn(lane);
      lane = undefined;
    }
    if (lane !== undefined) return lane;
    const book = new GraphBook({
      graph: randomHex(16),
      send: (message) => this.#host.send(message),
      task,
    });
    const made = new Lane(book);
    this.#lanes.set(key, made);
    this.#host.entered(made);
    return made;
  }

  /** A graph that has been followed by another ends with its last run. */
  #turn(lane: Lane): void {
    if (lane.under > 0 || [...this.#lanes.values()].includes(lane)) return;
    void lane.book.finish().then(() => this.#host.left(lane.id));
  }
}

function tensorsOf(program: Program, inputs: RunInputs): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => {
      if (value instanceof Tensor) return [name, value];
      const port = program.inputs.find((one) => one.name === name);
      try {
        return [name, toTensor(value, port && { dtype: port.type.dtype })];
      } catch (cause) {
        throw new FlockworkError("bad_argument", `The input ${name} is no tensor: ${String(cause)}`, {
          cause,
        });
      }
    }),
  );
}

/** What the program's symbols stand for, told by its inputs. */
function lengthsOf(program: Program, values: readonly Tensor[]): Record<string, number> {
  const lengths: Record<string, number> = {};
  program.inputs.forEach(({ type }, i) =>
    type.shape.forEach((dim, axis) => {
      if (typeof dim === "string") lengths[dim] = values[i]!.shape[axis]!;
    }),
  );
  return lengths;
}
