// The state of one graph between a client and the hub: what was asked for, what has come, and what must be said again after a
// break. Pure: messages in, messages out through `send`, no link and no clock.
import { FlockworkError, JobError } from "../../ids/index.js";
import type { Tensor } from "../../tensor/index.js";
import { decodeTensor, encodedBytes, encodeTensor } from "../../tensor/index.js";
import { packPayloads, PAYLOAD_KINDS, SMALL_VALUE, type MessageOf } from "../../wire/index.js";
import {
  isRef,
  type Arrival,
  type GivenRecord,
  type Held,
  type NewTask,
  type Ref,
  type TaskFailure,
  type TaskInput,
  type TaskRecord,
} from "./record.js";

export type GraphMessage = MessageOf<
  "program" | "given" | "tasks" | "want" | "release" | "finish" | "persist" | "distrust"
>;
export type GraphAnswer = MessageOf<"done" | "undone" | "value" | "ended" | "persisted">;

export interface BookOptions {
  /** The graph's name on the wire. */
  readonly graph: string;
  /** Drops it when there is no connection: resend() says it again. */
  send(message: GraphMessage): void;
  readonly task?: Pick<MessageOf<"tasks">, "priority" | "replicas"> &
    Pick<MessageOf<"tasks">["list"][number], "timeoutMs" | "needs">;
  done?(task: TaskRecord, ms: number, node: string): void;
  failed?(task: TaskRecord, failure: TaskFailure): void;
}

interface Keeping {
  readonly ref: Ref;
  readonly name: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const TENSOR = PAYLOAD_KINDS.indexOf("tensor");
/** Tasks, or values, of one message. */
const AT_ONCE = 4096;
/** Tasks in a row that are computed again for another hub; what lies further back is forgotten. As hubs themselves do. */
const MAX_LINEAGE = 1000;
/** Releases that are said again after a break; older ones have long been heard. */
const RELEASES_KEPT = 10_000;

export class GraphBook {
  /** The graph's name on the wire. */
  readonly id: string;
  readonly #options: BookOptions;
  /** Tasks whose outcome or outputs may still matter, by number. */
  readonly #tasks = new Map<number, TaskRecord>();
  /** Whoever may still need one holds its record: a task that may be computed again, the tensor itself. */
  readonly #givens = new Map<number, WeakRef<GivenRecord>>();
  #byTensor = new WeakMap<Tensor, GivenRecord>();
  #programsSent = new Set<string>();
  #nextTask = 0;
  #nextGiven = 0;
  #keeping: Keeping[] = [];
  #released: [number, number][] = [];
  #waiting = 0;
  #idle: (() => void)[] = [];
  #finishing: (() => void) | undefined = undefined;
  #closed: FlockworkError | undefined = undefined;

  constructor(options: BookOptions) {
    this.id = options.graph;
    this.#options = options;
  }

  /** Tasks that are neither done nor failed. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The record of a tensor that goes in: the same tensor is given once. */
  give(tensor: Tensor): GivenRecord {
    const known = this.#byTensor.get(tensor);
    if (known !== undefined) return known;
    const given: GivenRecord = { number: -1, tensor };
    this.#byTensor.set(tensor, given);
    return given;
  }

  /** The tensor that was given under this number, for the hub to fetch. */
  given(number: number): Tensor | undefined {
    return this.#givens.get(number)?.deref()?.tensor;
  }

  /** Sends tasks, each after those that it needs. `make` gets the records of the earlier ones. */
  submit(make: readonly ((earlier: readonly TaskRecord[]) => NewTask)[]): TaskRecord[] {
    if (this.#closed !== undefined) throw this.#closed;
    const tasks: TaskRecord[] = [];
    for (const each of make) {
      const task = each(tasks);
      const inputs = task.inputs.map((input) => this.#atHub(input));
      tasks.push({
        ...task,
        inputs,
        depth: 1 + Math.max(0, ...inputs.map((input) => (isRef(input) ? input.task.depth : 0))),
        cut: false,
        number: this.#nextTask++,
        atHub: true,
        node: "",
        state: "waiting",
        failure: undefined,
        held: new Map(),
      });
    }
    for (const task of tasks) this.#tasks.set(task.number, task);
    this.#waiting += tasks.length;
    this.#sendTasks(tasks);
    return tasks;
  }

  /** Has outputs kept until they are released. Say so before passing() lets go of the others. */
  hold(refs: readonly Ref[]): void {
    for (const { task, output } of refs) heldOf(task, output).holders++;
  }

  /** Has the hub tell when held outputs are there, once each. */
  want(refs: readonly Ref[]): void {
    const asked: [number, number][] = [];
    for (const { task, output } of refs) {
      const held = heldOf(task, output);
      if (held.wanted) continue;
      held.wanted = true;
      asked.push([task.number, output]);
    }
    if (asked.length > 0) this.#options.send({ t: "want", graph: this.#options.graph, outputs: asked });
  }

  /** Asks again for an output whose bytes did not come. */
  ask({ task, output }: Ref): void {
    const held = heldOf(task, output);
    held.wanted = true;
    held.arrival = undefined;
    this.#options.send({ t: "want", graph: this.#options.graph, outputs: [[task.number, output]] });
  }

  /** A held output is not what it must be: whoever gave it gets nothing for a while, and it arrives anew. */
  distrust({ task, output }: Ref, why: string): void {
    const held = heldOf(task, output);
    held.wanted = true;
    held.arrival = undefined;
    this.#options.send({
      t: "distrust",
      graph: this.#options.graph,
      output: [task.number, output],
      why: why.slice(0, 1024),
    });
  }

  /** Resolves when a held output is there. Rejects when its task has failed, or the link has stopped. */
  arrival({ task, output }: Ref): Promise<Arrival> {
    const held = heldOf(task, output);
    if (held.arrival !== undefined) return Promise.resolve(held.arrival);
    if (task.failure !== undefined) return Promise.reject(taskError(task.failure));
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => held.waiting.push({ resolve, reject }));
  }

  /** One holder less; at the last the hub may let go of it. */
  release(refs: readonly Ref[]): void {
    const gone: [number, number][] = [];
    for (const { task, output } of refs) {
      const held = task.held.get(output);
      if (held === undefined || --held.holders > 0) continue;
      task.held.delete(output);
      for (const { reject } of held.waiting) reject(RELEASED);
      if (task.atHub) gone.push([task.number, output]);
      this.#settle(task);
    }
    this.#sayReleased(gone);
  }

  /** Outputs that only other tasks read: the hub lets go of them when those have run. */
  passing(tasks: readonly TaskRecord[]): void {
    this.#sayReleased(
      tasks.flatMap((task) =>
        Array.from({ length: task.outputs }, (_, output): [number, number] => [task.number, output]).filter(
          ([, output]) => !task.held.has(output),
        ),
      ),
    );
  }

  /** Keeps an output under a name. Rejects with `name_taken`, or with why it could not be computed. */
  persist(ref: Ref, name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      const keeping: Keeping = { ref, name, resolve, reject };
      this.#keeping.push(keeping);
      this.#sayPersist(keeping);
    });
  }

  /** Resolves when no task is waiting any more. */
  settled(): Promise<void> {
    if (this.#waiting === 0 || this.#closed !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Ends the graph at the hub. */
  finish(): Promise<void> {
    if (this.#closed !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#finishing = resolve;
      this.#options.send({ t: "finish", graph: this.#options.graph });
    });
  }

  /** Takes what the hub says of this graph. What is about a task that was forgotten is left alone. */
  receive(message: GraphAnswer): void {
    switch (message.t) {
      case "done":
        message.tasks.forEach((number, i) =>
          this.#done(number, message.ms[i]!, message.nodes[message.of[i]!] ?? ""),
        );
        break;
      case "undone":
        this.#undone(message);
        break;
      case "value": {
        const held = this.#tasks.get(message.output[0])?.held.get(message.output[1]);
        // Copied: it would keep the whole frame.
        const arrival = { bytes: message.bytes, data: message.data?.slice(), sha256: message.sha256 };
        if (held === undefined || held.arrival !== undefined) break;
        held.arrival = arrival;
        for (const { resolve } of held.waiting.splice(0)) resolve(arrival);
        this.#settle(this.#tasks.get(message.output[0])!);
        break;
      }
      case "persisted":
        this.#persisted(message);
        break;
      case "ended":
        this.#finishing?.();
        break;
      default:
        message satisfies never;
    }
  }

  /** The link is up again. `same`: the hub still knows what it was told; otherwise all that may still matter is said anew. */
  resend(same: boolean): void {
    this.#programsSent = new Set();
    if (this.#finishing !== undefined) {
      // A hub that does not know the graph has ended it already.
      this.#options.send({ t: "finish", graph: this.#options.graph });
      return;
    }
    if (!same) this.#anew();
    const waiting = [...this.#tasks.values()]
      .filter(({ state }) => state === "waiting")
      .sort((a, b) => a.number - b.number);
    this.#sendTasks(waiting, true);
    const wanted = [...this.#tasks.values()].flatMap(({ number, held }) =>
      [...held].flatMap(([output, { wanted, arrival }]): [number, number][] =>
        wanted && arrival === undefined ? [[number, output]] : [],
      ),
    );
    if (wanted.length > 0) this.#options.send({ t: "want", graph: this.#options.graph, outputs: wanted });
    // After the tasks that need them.
    if (same) this.#sayReleased(this.#released.splice(0));
    else this.passing(waiting);
    for (const keeping of this.#keeping) this.#sayPersist(keeping);
  }

  /** Nothing more comes or goes. */
  close(error: FlockworkError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const { held } of this.#tasks.values())
      for (const { waiting } of held.values()) for (const { reject } of waiting.splice(0)) reject(error);
    for (const { reject } of this.#keeping.splice(0)) reject(error);
    for (const resolve of this.#idle.splice(0)) resolve();
    this.#finishing?.();
    this.#tasks.clear();
    this.#givens.clear();
    this.#byTensor = new WeakMap();
  }

  #done(number: number, ms: number, node: string): void {
    const task = this.#tasks.get(number);
    if (task?.state !== "waiting") return;
    task.state = "done";
    task.node = node;
    this.#options.done?.(task, ms, node);
    this.#outcome(task);
  }

  #undone({ task: number, code, message, reasons }: MessageOf<"undone">): void {
    const task = this.#tasks.get(number);
    if (task === undefined || task.state === "failed") return;
    const before = task.state;
    task.state = "failed";
    task.failure = {
      code,
      message,
      reasons: reasons.map(([node, code, text]) => ({ node, code, message: text })),
    };
    this.#options.failed?.(task, task.failure);
    const error = taskError(task.failure);
    for (const { waiting } of task.held.values()) for (const { reject } of waiting.splice(0)) reject(error);
    this.#keeping = this.#keeping.filter(({ ref, reject }) => {
      if (ref.task === task) reject(error);
      return ref.task !== task;
    });
    if (before === "waiting") this.#outcome(task);
  }

  #outcome(task: TaskRecord): void {
    this.#waiting--;
    this.#settle(task);
    if (this.#waiting === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #persisted({ name, code, message = "" }: MessageOf<"persisted">): void {
    const at = this.#keeping.findIndex((keeping) => keeping.name === name);
    const [keeping] = at < 0 ? [] : this.#keeping.splice(at, 1);
    if (code === undefined) keeping?.resolve();
    else keeping?.reject(new FlockworkError(code, message));
  }

  /** Forgets a task that is over and that nobody holds. Records that need it keep it for themselves. */
  #settle(task: TaskRecord): void {
    if (task.state === "waiting") return;
    const held = [...task.held.values()];
    // What has all its outputs here is given to another hub: nobody will compute it a second time.
    const here = held.length === task.outputs && held.every(({ arrival }) => arrival?.data !== undefined);
    if (here) task.depth = 0;
    else if (task.state === "done" && task.depth >= MAX_LINEAGE) {
      task.depth = 0;
      task.cut = true;
    }
    if (here || task.cut) task.inputs = [];
    if (held.length === 0) this.#tasks.delete(task.number);
  }

  #sendTasks(tasks: readonly TaskRecord[], again = false): void {
    const { graph, send, task: { priority, replicas, ...own } = {} } = this.#options;
    this.#sendGivens(tasks, again);
    for (const { program } of tasks) {
      if (this.#programsSent.has(program.hash)) continue;
      this.#programsSent.add(program.hash);
      const outputs = program.outputs.map(([dtype, shape]): [string, number[]] => [dtype, [...shape]]);
      send({ t: "program", graph, ...program, outputs });
    }
    for (const run of consecutive(tasks))
      send({
        t: "tasks",
        graph,
        first: run[0]!.number,
        ...(priority !== undefined && { priority }),
        ...(replicas !== undefined && { replicas }),
        list: run.map(({ program, inputs, outputs, flops, memory }) => ({
          program: program.hash,
          inputs: inputs.map((input) =>
            isRef(input) ? ([input.task.number, input.output] as [number, number]) : input.number,
          ),
          outputs,
          flops,
          memory,
          ...own,
        })),
      });
  }

  /** What the tasks read of the client's own: numbered when it is first needed, sent again when they are. */
  #sendGivens(tasks: readonly TaskRecord[], again: boolean): void {
    const all = new Set<GivenRecord>();
    for (const { inputs } of tasks) for (const input of inputs) if (!isRef(input)) all.add(input);
    for (const given of all)
      if (given.number < 0) {
        given.number = this.#nextGiven++;
        this.#givens.set(given.number, new WeakRef(given));
      } else if (!again) all.delete(given);
    for (const run of consecutive([...all].sort((a, b) => a.number - b.number))) {
      const large = run.map(({ tensor }) => encodedBytes(tensor) > SMALL_VALUE);
      const streams = run.flatMap(({ tensor }, i): [number, number][] =>
        large[i] ? [[i, encodedBytes(tensor)]] : [],
      );
      this.#options.send({
        t: "given",
        graph: this.#options.graph,
        first: run[0]!.number,
        ...packPayloads(
          run.map(({ tensor }, i) => ({
            kind: TENSOR,
            bytes: large[i] ? new Uint8Array(0) : encodeTensor(tensor),
          })),
        ),
        ...(streams.length > 0 && { streams }),
      });
    }
  }

  #sayReleased(outputs: [number, number][]): void {
    if (outputs.length === 0) return;
    this.#released.push(...outputs);
    this.#released.splice(0, this.#released.length - RELEASES_KEPT);
    this.#options.send({ t: "release", graph: this.#options.graph, outputs });
  }

  #sayPersist({ ref: { task, output }, name }: Keeping): void {
    this.#options.send({
      t: "persist",
      graph: this.#options.graph,
      output: [task.number, output],
      name,
    });
  }

  /**
   * Another hub, which knows nothing: it is told what may still matter, under the same numbers, by which nodes may still hold
   * the values. What has come here is given to it where it is needed.
   */
  #anew(): void {
    const needed = new Set<TaskRecord>();
    const stack = [...this.#tasks.values()].filter(
      (task) =>
        task.state === "waiting" ||
        [...task.held.values()].some(({ arrival }) => arrival?.data === undefined) ||
        this.#keeping.some(({ ref }) => ref.task === task),
    );
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      if (needed.has(task) || task.state === "failed") continue;
      needed.add(task);
      for (const input of task.inputs)
        if (isRef(input) && tensorHere(input) === undefined) stack.push(input.task);
    }
    for (const task of this.#tasks.values()) task.atHub = needed.has(task);
    for (const task of [...needed].sort((a, b) => a.number - b.number)) {
      if (task.cut) this.#undone({ t: "undone", graph: "", task: task.number, ...CUT });
      if (task.state === "failed") continue;
      task.atHub = true;
      task.inputs = task.inputs.map((input) => this.#atHub(input));
      if (task.state === "done") this.#waiting++;
      task.state = "waiting";
      for (const held of task.held.values()) if (held.arrival?.data === undefined) held.arrival = undefined;
      this.#tasks.set(task.number, task);
    }
    this.#released = [];
  }

  /** An input as the hub can have it: an output of a task that it does not know is given to it. */
  #atHub(input: TaskInput): TaskInput {
    if (!isRef(input) || input.task.atHub) return input;
    const tensor = tensorHere(input);
    if (tensor === undefined) throw new Error("a task reads an output that is neither at the hub nor here");
    return this.give(tensor);
  }
}

const CUT = {
  code: "value_lost",
  message: `The hub has restarted, and this value hung on more than ${MAX_LINEAGE} tasks in a row; persist() one of them now and then.`,
  reasons: [],
};
const RELEASED = new FlockworkError("closed", "The value was released before it was there.");
const tensors = new WeakMap<Arrival, Tensor>();

function heldOf({ held }: TaskRecord, output: number): Held {
  let own = held.get(output);
  if (own === undefined) {
    own = { holders: 0, wanted: false, arrival: undefined, waiting: [] };
    held.set(output, own);
  }
  return own;
}

/** The value of an output whose bytes have come; the same object each time. */
export function tensorHere({ task, output }: Ref): Tensor | undefined {
  const arrival = task.held.get(output)?.arrival;
  if (arrival?.data === undefined) return undefined;
  let tensor = tensors.get(arrival);
  if (tensor === undefined) {
    tensor = decodeTensor(arrival.data);
    tensors.set(arrival, tensor);
  }
  return tensor;
}

export function taskError({ code, message, reasons }: TaskFailure): JobError {
  return new JobError(code, message, reasons, reasons.at(-1)?.node);
}

/** Lists of things whose numbers follow each other. */
function consecutive<T extends { readonly number: number }>(list: readonly T[]): T[][] {
  const runs: T[][] = [];
  for (const item of list) {
    const last = runs.at(-1);
    if (last !== undefined && last.at(-1)!.number + 1 === item.number && last.length < AT_ONCE)
      last.push(item);
    else runs.push([item]);
  }
  return runs;
}
