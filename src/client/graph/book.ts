// The state of one graph between a client and the hub: what was asked for, what has come, and what must be said again after a
// break. Pure: messages in, messages out through `send`, no link and no clock.
import { FlockworkError, JobError } from "../../ids/index.js";
import type { Tensor } from "../../tensor/index.js";
import { decodeTensor } from "../../tensor/index.js";
import type { MessageOf } from "../../wire/index.js";
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
import { Saying, type SayingOptions } from "./saying.js";

export type GraphAnswer = MessageOf<"done" | "undone" | "value" | "ended" | "persisted">;

export interface BookOptions extends SayingOptions {
  done?(task: TaskRecord, ms: number, node: string): void;
  failed?(task: TaskRecord, failure: TaskFailure): void;
}

interface Keeping {
  readonly ref: Ref;
  readonly name: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Tasks in a row that are computed again for another hub; what lies further back is forgotten. As hubs themselves do. */
const MAX_LINEAGE = 1000;

export class GraphBook {
  /** The graph's name on the wire. */
  readonly id: string;
  readonly #options: BookOptions;
  readonly #says: Saying;
  /** Tasks whose outcome or outputs may still matter, by number. */
  readonly #tasks = new Map<number, TaskRecord>();
  #byTensor = new WeakMap<Tensor, GivenRecord>();
  #nextTask = 0;
  #keeping: Keeping[] = [];
  #waiting = 0;
  #idle: (() => void)[] = [];
  #finishing: (() => void) | undefined = undefined;
  #closed: FlockworkError | undefined = undefined;

  constructor(options: BookOptions) {
    this.id = options.graph;
    this.#options = options;
    this.#says = new Saying(options);
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
    return this.#says.given(number)?.tensor;
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
    this.#says.tasks(tasks);
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
    this.#says.want(asked);
  }

  /** Asks again for an output whose bytes did not come. */
  ask({ task, output }: Ref): void {
    const held = heldOf(task, output);
    held.wanted = true;
    held.arrival = undefined;
    this.#says.want([[task.number, output]]);
  }

  /** A held output is not what it must be: whoever gave it gets nothing for a while, and it arrives anew. */
  distrust({ task, output }: Ref, why: string): void {
    const held = heldOf(task, output);
    held.wanted = true;
    held.arrival = undefined;
    this.#says.distrust({ task, output }, why);
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
    this.#says.released(gone);
  }

  /** Outputs that only other tasks read: the hub lets go of them when those have run. */
  passing(tasks: readonly TaskRecord[]): void {
    this.#says.released(
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
      this.#says.persist(keeping.ref, keeping.name);
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
      this.#says.finish();
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
    this.#says.programsAgain();
    if (this.#finishing !== undefined) {
      // A hub that does not know the graph has ended it already.
      this.#says.finish();
      return;
    }
    if (!same) this.#anew();
    const waiting = [...this.#tasks.values()]
      .filter(({ state }) => state === "waiting")
      .sort((a, b) => a.number - b.number);
    this.#says.tasks(waiting, true);
    const wanted = [...this.#tasks.values()].flatMap(({ number, held }) =>
      [...held].flatMap(([output, { wanted, arrival }]): [number, number][] =>
        wanted && arrival === undefined ? [[number, output]] : [],
      ),
    );
    this.#says.want(wanted);
    // After the tasks that need them.
    if (same) this.#says.releasedAgain();
    else this.passing(waiting);
    for (const keeping of this.#keeping) this.#says.persist(keeping.ref, keeping.name);
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
    this.#says.close();
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
    this.#says.anew();
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
