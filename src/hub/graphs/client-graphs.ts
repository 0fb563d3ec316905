// Graphs of clients: what they send of them and what they are told. What nodes do is node-graphs.ts.
import { FlockworkError, type AttemptFailure, type NodeId, type SessionId } from "../../ids/index.js";
import type { ValueRef } from "../../scheduler/index.js";
import { unpackPayloads, type MessageOf } from "../../wire/index.js";
import type { HubCore, HubParts } from "../core.js";
import type { ClientSession } from "../sessions.js";
import type { Audit } from "./audit.js";
import { alike, Submission } from "./submission.js";
import { GraphCopy } from "./graph-copy.js";
import { Graph, GraphTask, GraphValue, type TaskSpec } from "./graph.js";
import { Keeping } from "./keeping.js";
import type { KeptValues } from "./kept-values.js";
import type { Programs } from "./programs.js";
import type { Replicas } from "./replicas.js";
import type { Sources } from "./sources.js";
import { Telling } from "./telling.js";
import type { ValueTable } from "./value-table.js";

export type ClientGraphMessage = MessageOf<
  | "program"
  | "given"
  | "tasks"
  | "want"
  | "release"
  | "finish"
  | "persist"
  | "kept_names"
  | "distrust"
  | "survey"
>;

export class ClientGraphs {
  readonly #graphs = new Map<SessionId, Map<string, Graph>>();
  /** Values that nobody needs now. */
  readonly #fading = new Set<GraphValue>();
  readonly #telling = new Telling();
  readonly #keeping: Keeping;
  readonly #submission: Submission;

  constructor(
    private readonly core: HubCore,
    private readonly parts: HubParts,
    kept: KeptValues,
    readonly replicas: Replicas,
    private readonly table: ValueTable,
    private readonly programs: Programs,
    private readonly sources: Sources,
    private readonly audit: Audit,
  ) {
    this.#keeping = new Keeping(core, parts, kept, sources);
    this.#submission = new Submission(core, table, replicas, {
      found: (tasks) => this.#found(tasks),
      unsolved: (task, code, message) => this.unsolved(task, code, message, []),
    });
  }

  *graphs(): Iterable<Graph> {
    for (const graphs of this.#graphs.values()) yield* graphs.values();
  }

  find(session: ClientSession, graph: string, output: readonly [number, number]): GraphValue | undefined {
    return this.#graphs.get(session.id)?.get(graph)?.value(output);
  }

  message(session: ClientSession, message: Exclude<ClientGraphMessage, MessageOf<"survey">>): void {
    switch (message.t) {
      case "program":
        this.programs.add(this.#graph(session, message.graph), message);
        break;
      case "given":
        this.#given(this.#graph(session, message.graph), message);
        break;
      case "tasks":
        try {
          this.#tasks(this.#graph(session, message.graph), message);
        } catch (error) {
          if (!(error instanceof FlockworkError)) throw error;
          this.#telling.refused(session, message, error);
        }
        break;
      case "want":
        this.#want(session, message);
        break;
      case "release":
        this.#release(session, message);
        break;
      case "finish":
        this.end(session, message.graph);
        session.peer?.send({ t: "ended", graph: message.graph });
        break;
      case "persist":
        void this.#keeping.persist(this.#graph(session, message.graph), message);
        break;
      case "distrust":
        void this.#distrust(session, message);
        break;
      case "kept_names":
        void this.#keeping.names(session, message);
        break;
      default:
        message satisfies never;
    }
  }

  /** The client does not come back. */
  endAll(session: ClientSession): void {
    for (const id of [...(this.#graphs.get(session.id)?.keys() ?? [])]) this.end(session, id);
  }

  end(session: ClientSession, id: string): void {
    const graphs = this.#graphs.get(session.id);
    const graph = graphs?.get(id);
    if (graphs === undefined || graph === undefined) return;
    graphs.delete(id);
    if (graphs.size === 0) this.#graphs.delete(session.id);
    this.#telling.forget(graph);
    const open: number[] = [];
    const values: GraphValue[] = [...graph.givens.values()];
    const all = [...graph.tasks.values()].flatMap((task) => [task, ...this.replicas.copiesOf(task)]);
    for (const task of all) {
      if (task.state === "open") open.push(task.task);
      values.push(...task.values);
    }
    for (const value of values) value.released = true;
    if (open.length > 0) this.core.handle({ type: "TasksCancelled", tasks: open });
    if (values.length > 0) this.core.handle({ type: "ValuesReleased", values: values.map(({ ref }) => ref) });
    for (const task of all) {
      this.table.delete(task.values);
      this.replicas.forget(task);
    }
    for (const value of graph.givens.values()) this.table.delete([value]);
    this.programs.leave(graph);
  }

  solved(tasks: readonly GraphTask[]): void {
    for (const task of tasks) {
      if (task.state !== "open") continue;
      task.state = "done";
      task.graph.done++;
      this.#telling.done(task);
      for (const value of task.values) if (value.wanted) this.#telling.value(value);
    }
  }

  /** Nodes hold what these make, from before a restart. */
  #found(tasks: readonly GraphTask[]): void {
    this.solved(tasks.filter((task) => !(task instanceof GraphCopy)));
    for (const task of tasks) if (task instanceof GraphCopy) this.replicas.copied(task);
  }

  unsolved(task: GraphTask, code: string, message: string, failures: readonly AttemptFailure[]): void {
    const { graph, number } = task;
    task.state = "failed";
    graph.failed++;
    const failed = this.replicas.copiesOf(task).find(({ failure }) => failure !== undefined);
    if (failed?.failure !== undefined) ({ code, message } = failed.failure);
    const reasons = failures.map(({ node, code, message }): [string, string, string] => [
      node,
      code,
      message,
    ]);
    this.#telling.undone(graph, number, { code, message }, reasons);
  }

  /** Values that had been lost are there again. */
  recomputed(tasks: readonly GraphTask[]): void {
    for (const { values } of tasks) for (const value of values) this.sources.returned(value);
  }

  /** Nobody needs it now. It is forgotten once its task can not be run again for what was made from it. */
  gone(value: GraphValue): void {
    this.#fading.add(value);
  }

  /** Forgets what the scheduler has forgotten. */
  fade(): void {
    for (const value of this.#fading) {
      if (this.core.scheduler.task(value.ref.task) !== undefined) continue;
      this.#fading.delete(value);
      const { graph, number } = value;
      if (value.kind === "given") {
        graph.givens.delete(number);
        this.table.delete([value]);
        continue;
      }
      const task = graph.tasks.get(number);
      if (task === undefined || task.task !== value.ref.task) continue;
      graph.tasks.delete(number);
      graph.over.add(number);
      this.table.delete(task.values);
      for (const copy of this.replicas.copiesOf(task)) this.table.delete(copy.values);
      this.replicas.forget(task);
    }
  }

  #graph(session: ClientSession, id: string): Graph {
    let graphs = this.#graphs.get(session.id);
    if (graphs === undefined) this.#graphs.set(session.id, (graphs = new Map()));
    let graph = graphs.get(id);
    if (graph === undefined) {
      if (graphs.size >= this.parts.limits.graphsPerSession)
        throw new FlockworkError(
          "limit",
          `Session ${session.name} has ${graphs.size} graphs, which is the limit; end one first.`,
        );
      graphs.set(id, (graph = new Graph(id, session)));
    }
    return graph;
  }

  #given(graph: Graph, message: MessageOf<"given">): void {
    const sizes = new Map(message.streams);
    for (const [i, { bytes }] of unpackPayloads(message).entries()) {
      const number = message.first + i;
      if (graph.givens.has(number)) continue;
      const task = this.core.clients.admission.reserve(1);
      const value = new GraphValue(
        graph.nameOf(`given ${number}`),
        graph,
        { task, output: 0 },
        number,
        "given",
      );
      value.bytes = sizes.get(i) ?? bytes.length;
      if (!sizes.has(i)) value.data = this.#hold(graph, bytes);
      graph.givens.set(number, value);
      this.table.add([value]);
      const { domain } = graph.session;
      this.core.handle({ type: "ValueGiven", value: value.ref, domain, bytes: value.bytes });
    }
  }

  /** A copy of bytes that lie in a frame. */
  #hold(graph: Graph, bytes: Uint8Array): Uint8Array {
    if (graph.hubBytes + bytes.length > this.parts.limits.bytesPerSession)
      throw new FlockworkError(
        "limit",
        `The small values of this graph take ${graph.hubBytes} bytes at the hub; the limit is ${this.parts.limits.bytesPerSession}.`,
      );
    graph.hubBytes += bytes.length;
    return new Uint8Array(bytes);
  }

  #tasks(graph: Graph, message: MessageOf<"tasks">): void {
    const replicas = message.replicas ?? 1;
    /** Done, and forgotten since: that may have been told to a broken link. */
    const again: number[] = [];
    let run: GraphTask[] = [];
    const flush = (): void => {
      if (run.length > 0) this.#submission.submit(graph, run, message.priority ?? 0);
      run = [];
    };
    for (const [i, spec] of message.list.entries()) {
      const number = message.first + i;
      const known = graph.tasks.get(number);
      if (known !== undefined) {
        // Sent again: its end may have been told to a broken link.
        if (known.state === "done") this.#telling.done(known);
        continue;
      }
      if (graph.over.has(number)) {
        again.push(number);
        continue;
      }
      let inputs: GraphValue[];
      try {
        inputs = inputsOf(graph, spec, number);
      } catch (error) {
        if (!(error instanceof FlockworkError)) throw error;
        this.#telling.undone(graph, number, error);
        continue;
      }
      const { admission } = this.core.clients;
      // Copies come first: a task needs what has smaller numbers.
      const first = replicas > 1 ? admission.reserve(replicas) : undefined;
      const task = new GraphTask(graph, number, admission.reserve(1), spec, replicas, inputs);
      graph.tasks.set(number, task);
      graph.total++;
      this.table.add(task.values);
      if (first !== undefined) {
        this.#submission.replicate(task, first, message.priority ?? 0);
        continue;
      }
      if (run.length > 0 && !alike(run[0]!.spec, spec)) flush();
      run.push(task);
    }
    flush();
    if (again.length > 0) this.#telling.over(graph, again);
  }

  #want(session: ClientSession, { graph: id, outputs }: MessageOf<"want">): void {
    const graph = this.#graphs.get(session.id)?.get(id);
    if (graph === undefined) return;
    const refs: ValueRef[] = [];
    for (const output of outputs) {
      const value = graph.value(output as [number, number]);
      if (value === undefined) continue;
      value.wanted = true;
      refs.push(value.ref);
      if (graph.tasks.get(value.number)?.state === "done") this.#telling.value(value);
    }
    if (refs.length > 0) this.core.handle({ type: "ValuesWanted", values: refs });
  }

  #release(session: ClientSession, { graph: id, outputs, givens = [] }: MessageOf<"release">): void {
    const graph = this.#graphs.get(session.id)?.get(id);
    if (graph === undefined) return;
    const refs: ValueRef[] = [];
    for (const of of [...(outputs as [number, number][]), ...givens]) {
      const value = graph.value(of);
      if (value === undefined || value.released) continue;
      value.released = true;
      value.wanted = false;
      refs.push(value.ref);
      const task = value.kind === "output" ? graph.tasks.get(value.number) : undefined;
      for (const copy of task === undefined ? [] : this.replicas.copiesOf(task))
        refs.push(copy.values[value.ref.output]!.ref);
    }
    if (refs.length > 0) this.core.handle({ type: "ValuesReleased", values: refs });
  }

  /** What is wrong goes, and whoever gave it gets nothing for a while. Where nodes have agreed, their word stands. */
  async #distrust(session: ClientSession, { graph: id, output, why }: MessageOf<"distrust">): Promise<void> {
    const graph = this.#graphs.get(session.id)?.get(id);
    const task = graph?.tasks.get(output[0]);
    const value = task?.values[output[1]];
    if (graph === undefined || task?.state !== "done" || value === undefined) return;
    if (value.sha256 !== undefined) await this.audit.values([value]);
    else {
      this.audit.distrust(task.node as NodeId, graph, why);
      for (const each of task.values) {
        each.data = each.blob = undefined;
        for (const place of [...this.core.scheduler.places(each.ref)])
          this.core.handle({ type: "ValueLost", value: each.ref, place });
      }
    }
    this.sources.ready(value).then(
      () => this.#telling.value(value),
      // Its client hears of the task's failure.
      () => undefined,
    );
  }
}

/** Throws `bad_argument` where an input is not there or comes later, or the program is not. */
function inputsOf(graph: Graph, spec: TaskSpec, number: number): GraphValue[] {
  if (!graph.programs.has(spec.program))
    throw new FlockworkError(
      "bad_argument",
      `Task ${number} names program ${spec.program}, which was not sent.`,
    );
  return spec.inputs.map((of) => {
    const value = graph.value(of as number | [number, number]);
    if (value === undefined || (value.kind === "output" && value.number >= number) || value.released)
      throw new FlockworkError(
        "bad_argument",
        `Task ${number} needs ${typeof of === "number" ? `given value ${of}` : `output ${of[1]} of task ${of[0]}`}, which is not there (any more).`,
      );
    return value;
  });
}
