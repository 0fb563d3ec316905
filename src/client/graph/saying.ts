// What a client says to the hub of one graph: programs, values, tasks, what it wants and lets go of.
import { encodedBytes, encodeTensor } from "../../tensor/index.js";
import { packPayloads, PAYLOAD_KINDS, SMALL_VALUE, type MessageOf } from "../../wire/index.js";
import { isRef, type GivenRecord, type Ref, type TaskRecord } from "./record.js";

export type GraphMessage = MessageOf<
  "program" | "given" | "tasks" | "want" | "release" | "finish" | "persist" | "distrust"
>;

export interface SayingOptions {
  /** The graph's name on the wire. */
  readonly graph: string;
  /** Drops it when there is no connection: what still matters is said again. */
  send(message: GraphMessage): void;
  readonly task?: Pick<MessageOf<"tasks">, "priority" | "replicas"> &
    Pick<MessageOf<"tasks">["list"][number], "timeoutMs" | "needs">;
}

const TENSOR = PAYLOAD_KINDS.indexOf("tensor");
/** Tasks, or values, of one message. */
const AT_ONCE = 4096;
/** Releases that are said again after a break; older ones have long been heard. */
const RELEASES_KEPT = 10_000;

export class Saying {
  readonly #options: SayingOptions;
  #programsSent = new Set<string>();
  #nextGiven = 0;
  /** Whoever may still need one holds its record: a task that may be computed again, the tensor itself. */
  readonly #givens = new Map<number, WeakRef<GivenRecord>>();
  /** Nobody here can name it any more, nor will have to say it again. */
  readonly #unreachable = new FinalizationRegistry<number>((number) => this.#letGo(number));
  #lettingGo: number[] = [];
  /** Given values that this hub has been told of. */
  #givensSent = new Set<number>();
  #released: [number, number][] = [];
  #releasedGivens: number[] = [];

  constructor(options: SayingOptions) {
    this.#options = options;
  }

  /** What was given under a number. */
  given(number: number): GivenRecord | undefined {
    return this.#givens.get(number)?.deref();
  }

  /** Tasks, after the values and programs that they need. `again`: what they read is said anew as well. */
  tasks(tasks: readonly TaskRecord[], again = false): void {
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

  /** After a break programs go with the next task that needs them. */
  programsAgain(): void {
    this.#programsSent = new Set();
  }

  want(outputs: [number, number][]): void {
    const { graph, send } = this.#options;
    if (outputs.length > 0) send({ t: "want", graph, outputs });
  }

  distrust({ task, output }: Ref, why: string): void {
    const { graph, send } = this.#options;
    send({ t: "distrust", graph, output: [task.number, output], why: why.slice(0, 1024) });
  }

  persist({ task, output }: Ref, name: string): void {
    const { graph, send } = this.#options;
    send({ t: "persist", graph, output: [task.number, output], name });
  }

  finish(): void {
    const { graph, send } = this.#options;
    // Nothing is let go of one by one any more.
    this.#givens.clear();
    send({ t: "finish", graph });
  }

  released(outputs: readonly [number, number][], givens: readonly number[] = []): void {
    if (outputs.length === 0 && givens.length === 0) return;
    this.#released.push(...outputs);
    this.#released.splice(0, this.#released.length - RELEASES_KEPT);
    this.#releasedGivens.push(...givens);
    this.#releasedGivens.splice(0, this.#releasedGivens.length - RELEASES_KEPT);
    const { graph, send } = this.#options;
    send({
      t: "release",
      graph,
      outputs: [...outputs],
      ...(givens.length > 0 && { givens: [...givens] }),
    });
  }

  /** The hub may not have heard the last of them. */
  releasedAgain(): void {
    this.released(this.#released.splice(0), this.#releasedGivens.splice(0));
  }

  /** Another hub, which knows nothing: neither what was given nor what was released. */
  anew(): void {
    this.#givensSent = new Set();
    this.#released = [];
    this.#releasedGivens = [];
  }

  close(): void {
    this.#givens.clear();
  }

  /** What the tasks read of the client's own: numbered when it is first needed, sent again when they are. */
  #sendGivens(tasks: readonly TaskRecord[], again: boolean): void {
    const all = new Set<GivenRecord>();
    for (const { inputs } of tasks) for (const input of inputs) if (!isRef(input)) all.add(input);
    for (const given of all) {
      if (given.number < 0) {
        given.number = this.#nextGiven++;
        this.#givens.set(given.number, new WeakRef(given));
        this.#unreachable.register(given, given.number);
      }
      if (this.#givensSent.has(given.number) && !again) all.delete(given);
      this.#givensSent.add(given.number);
    }
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

  /** A collection of garbage finds many at once; they are said in one message. */
  #letGo(number: number): void {
    if (!this.#givens.delete(number) || !this.#givensSent.delete(number)) return;
    if (this.#lettingGo.push(number) > 1) return;
    setTimeout(() => this.released([], this.#lettingGo.splice(0)));
  }
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
