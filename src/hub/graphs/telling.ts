// What clients are told of their graphs: tasks that are done, those that will not be, values that are there.
import type { FlockworkError } from "../../ids/index.js";
import { onTickEnd, type MessageOf } from "../../wire/index.js";
import type { ClientSession } from "../sessions.js";
import type { Graph, GraphTask, GraphValue } from "./graph.js";

type Reasons = MessageOf<"undone">["reasons"];

export class Telling {
  /** Graphs with finished tasks that their clients have not been told of. */
  readonly #news = new Map<Graph, GraphTask[]>();

  /** A task is done: told with all others of this turn. */
  done(task: GraphTask): void {
    const { graph } = task;
    const tasks = this.#news.get(graph);
    if (tasks !== undefined) {
      tasks.push(task);
      return;
    }
    this.#news.set(graph, [task]);
    if (this.#news.size === 1) onTickEnd(() => this.#tellAll());
  }

  /** Tasks that were done and are forgotten. */
  over({ id, session }: Graph, numbers: readonly number[]): void {
    session.peer?.send({
      t: "done",
      graph: id,
      tasks: Float64Array.from(numbers),
      ms: new Float32Array(numbers.length),
      nodes: [""],
      of: new Uint16Array(numbers.length),
    });
  }

  undone(
    { id, session }: Graph,
    task: number,
    { code, message }: Pick<FlockworkError, "code" | "message">,
    reasons: Reasons = [],
  ): void {
    session.peer?.send({ t: "undone", graph: id, task, code, message, reasons });
  }

  /** None of these tasks will be: each is told so, since somebody waits for each. */
  refused(session: ClientSession, { graph, first, list }: MessageOf<"tasks">, error: FlockworkError): void {
    const { code, message } = error;
    for (let i = 0; i < list.length; i++)
      session.peer?.send({ t: "undone", graph, task: first + i, code, message, reasons: [] });
  }

  value(value: GraphValue): void {
    const { graph, bytes, data, sha256 } = value;
    graph.session.peer?.send({
      t: "value",
      graph: graph.id,
      output: [...value.output],
      bytes,
      ...(data && { data }),
      ...(sha256 !== undefined && { sha256 }),
    });
  }

  /** The graph has ended: nothing more is said of it. */
  forget(graph: Graph): void {
    this.#news.delete(graph);
  }

  #tellAll(): void {
    for (const [graph, tasks] of this.#news) {
      const nodes = [...new Set(tasks.map(({ node }) => node))];
      graph.session.peer?.send({
        t: "done",
        graph: graph.id,
        tasks: Float64Array.from(tasks, ({ number }) => number),
        ms: Float32Array.from(tasks, ({ ms }) => ms),
        nodes,
        of: Uint16Array.from(tasks, ({ node }) => nodes.indexOf(node)),
      });
    }
    this.#news.clear();
  }
}
