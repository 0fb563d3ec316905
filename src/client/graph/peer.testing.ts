// The other side of a graph's messages, for tests of the client alone: it computes tasks with the interpreter, in order, as
// soon as it has them. The real hub and nodes are in test/graphs.
import { evaluate } from "../../graph/interpreter.js";
import { load } from "../../graph/onnx/load.js";
import { decodeTensor, encodeTensor, type Tensor } from "../../tensor/index.js";
import { SMALL_VALUE, unpackPayloads, type MessageOf } from "../../wire/index.js";
import type { GraphAnswer } from "./book.js";
import type { GraphMessage } from "./saying.js";
import type { GraphHost } from "./host.js";
import type { FleetAnswer } from "./fleet.js";

type Answering = { receive(message: GraphAnswer): void; resend(same: boolean): void };

export class Peer {
  readonly got: GraphMessage[] = [];
  readonly values = new Map<string, Tensor>();
  readonly released = new Set<string>();
  readonly kept = new Map<string, Tensor>();
  readonly tasks = new Map<number, MessageOf<"tasks">["list"][number]>();
  readonly wanted = new Set<string>();
  readonly programs = new Map<string, Uint8Array>();
  readonly givens = new Map<number, Tensor | "announced">();
  graph!: Answering & { given(number: number): Tensor | undefined };
  /** Tasks fail with this while it is set. */
  failing: string | undefined = undefined;
  up = true;
  /** Whether tasks are computed at once, or when step() is called. */
  held = false;
  ran = 0;
  #failed = new Set<number>();

  constructor(readonly fleet: FleetAnswer = { nodes: [], bandwidth: 1e8, roundTrip: 1e-3 }) {}

  get host(): GraphHost {
    return {
      send: (message) => {
        if (this.up) this.#take(message);
      },
      fleet: () => Promise.resolve(this.fleet),
      fetch: (_, output) => this.#fetch(output),
      entered: (graph) => (this.graph = graph),
      left: () => undefined,
    };
  }

  /** Computes what waits. */
  step(): void {
    for (const [number, task] of this.tasks) {
      if (this.#failed.has(number) || this.values.has(`${number}.0`)) continue;
      this.#run(number, task);
    }
    for (const key of this.wanted) {
      const value = this.values.get(key);
      if (value === undefined) continue;
      this.wanted.delete(key);
      const data = encodeTensor(value);
      this.#say({
        t: "value",
        graph: "",
        output: key.split(".").map(Number) as [number, number],
        bytes: data.length,
        ...(data.length <= SMALL_VALUE && { data }),
      });
    }
  }

  async *#fetch([task, output]: readonly [number, number]): AsyncGenerator<Uint8Array> {
    const value = this.values.get(`${task}.${output}`);
    if (value !== undefined) yield encodeTensor(value);
  }

  #say(message: GraphAnswer): void {
    if (this.up) this.graph.receive(message);
  }

  #take(message: GraphMessage): void {
    this.got.push(message);
    switch (message.t) {
      case "program":
        this.programs.set(message.hash, message.model);
        break;
      case "given": {
        const streams = new Map(message.streams);
        unpackPayloads(message).forEach(({ bytes }, i) =>
          this.givens.set(message.first + i, streams.has(i) ? "announced" : decodeTensor(bytes)),
        );
        break;
      }
      case "tasks":
        message.list.forEach((task, i) => this.tasks.set(message.first + i, task));
        break;
      case "want":
        for (const [task, output] of message.outputs) this.wanted.add(`${task}.${output}`);
        break;
      case "release":
        for (const [task, output] of message.outputs) this.released.add(`${task}.${output}`);
        for (const given of message.givens ?? []) this.givens.delete(given);
        break;
      case "persist":
        queueMicrotask(() => {
          const value = this.values.get(message.output.join("."));
          const taken = this.kept.has(message.name);
          if (value !== undefined && !taken) this.kept.set(message.name, value);
          this.#say({
            t: "persisted",
            graph: "",
            name: message.name,
            bytes: 0,
            ...(taken && { code: "name_taken", message: `There is a "${message.name}" already.` }),
          });
        });
        break;
      case "distrust":
        // Nobody lies here.
        break;
      case "finish":
        queueMicrotask(() => this.#say({ t: "ended", graph: "" }));
        break;
      default:
        message satisfies never;
    }
    if (!this.held) queueMicrotask(() => this.step());
  }

  #run(number: number, { program, inputs, outputs }: MessageOf<"tasks">["list"][number]): void {
    const sources = inputs.map((input) => {
      if (typeof input !== "number") return this.values.get(input.join("."));
      const given = this.givens.get(input);
      return given === "announced" ? this.graph.given(input) : given;
    });
    if (this.failing !== undefined || sources.some((value) => value === undefined)) {
      this.#failed.add(number);
      const root = this.failing !== undefined && !inputs.some((input) => typeof input !== "number" && this.#failed.has(input[0])); // prettier-ignore
      this.#say({
        t: "undone",
        graph: "",
        task: number,
        code: root ? "program_error" : "input_failed",
        message: this.failing ?? "an input failed",
        reasons: [["worker.01.02.03.04", "program_error", this.failing ?? "an input failed"]],
      });
      return;
    }
    const model = load(this.programs.get(program)!);
    const names = model.inputNames;
    const made = evaluate(
      Object.values(model.outputs),
      Object.fromEntries(names.map((name, i) => [name, sources[i]!])),
    );
    if (made.length !== outputs) throw new Error("another number of outputs");
    made.forEach((value, i) => this.values.set(`${number}.${i}`, value.toTensor()));
    this.ran++;
    this.#say({
      t: "done",
      graph: "",
      tasks: Float64Array.of(number),
      ms: Float32Array.of(2),
      nodes: ["worker.01.02.03.04"],
      of: Uint16Array.of(0),
    });
  }
}
