// Tasks of graphs on their way to the scheduler: batches of those that are alike, copies of those that are compared.
import { FlockworkError, type NodeId, type TaskId } from "../../ids/index.js";
import type { SchedulerEvent, TaskBatch } from "../../scheduler/index.js";
import type { HubCore } from "../core.js";
import type { Job } from "../jobs.js";
import { GraphCopy } from "./graph-copy.js";
import type { Graph, GraphTask, TaskSpec } from "./graph.js";
import { VERIFY_SERVICE, type Replicas } from "./replicas.js";
import { expectedMs, sizeClass } from "./size-class.js";
import type { ValueTable } from "./value-table.js";

/** A program that says nothing of its time may take this, and so many times what it is thought to take. */
const LEAST_TIMEOUT_MS = 60_000;
const TIMEOUT_TIMES = 100;
const MAX_ATTEMPTS = 5;

export interface SubmissionOutcome {
  /** Nodes hold what these make, from before a restart. */
  found(tasks: readonly GraphTask[]): void;
  /** It can not be replicated. */
  unsolved(task: GraphTask, code: string, message: string): void;
}

export class Submission {
  readonly #core: HubCore;
  readonly #table: ValueTable;
  readonly #replicas: Replicas;
  readonly #outcome: SubmissionOutcome;
  /** Of graphs whose tasks are copied: another copy may be needed later. */
  readonly #priorities = new WeakMap<Graph, number>();

  constructor(core: HubCore, table: ValueTable, replicas: Replicas, outcome: SubmissionOutcome) {
    this.#core = core;
    this.#table = table;
    this.#replicas = replicas;
    this.#outcome = outcome;
    replicas.submit = (copies, labels) => {
      for (const copy of copies) table.add(copy.values);
      const { graph, spec } = copies[0]!;
      this.submit(graph, copies, this.#priorities.get(graph) ?? 0, {
        ...spec.needs,
        labels: [...(spec.needs?.labels ?? []), ...labels],
      });
    };
  }

  /** Copies at nodes, numbered from `first`, and their comparison at the hub. */
  replicate(task: GraphTask, first: TaskId, priority: number): void {
    const { graph } = task;
    this.#priorities.set(graph, priority);
    try {
      const copies = this.#replicas.plan(task, first);
      this.#core.handle({
        type: "TasksSubmitted",
        batch: {
          ...this.#batch(graph, [task], priority),
          service: VERIFY_SERVICE,
          attemptTimeoutMs: 0,
          inputs: [copies.flatMap(({ values }) => values.map(({ ref }) => ref))],
        },
      });
    } catch (error) {
      if (!(error instanceof FlockworkError)) throw error;
      this.#outcome.unsolved(task, error.code, error.message);
    }
  }

  #batch(
    { session }: Graph,
    tasks: readonly GraphTask[],
    priority: number,
  ): Omit<TaskBatch<Job | GraphTask>, "service" | "attemptTimeoutMs"> {
    return {
      first: tasks[0]!.task,
      tags: tasks,
      domain: session.domain,
      session: session.id,
      priority,
      maxAttempts: MAX_ATTEMPTS,
      deadlineAt: Infinity,
      idempotent: true,
      keep: "node",
    };
  }

  /** Tasks that are alike, in one batch. What nodes already hold of them is found, not computed. */
  submit(
    graph: Graph,
    tasks: readonly GraphTask[],
    priority: number,
    needs: TaskSpec["needs"] = tasks[0]!.spec.needs,
  ): void {
    const { spec } = tasks[0]!;
    const found = tasks.map((task) => this.#table.claim(task));
    const batch: TaskBatch<Job | GraphTask> = {
      ...this.#batch(graph, tasks, priority),
      service: sizeClass(spec),
      attemptTimeoutMs: timeoutOf(spec),
      expectedMs: expectedMs(spec),
      ...(needs && { needs: needs as NonNullable<TaskBatch<Job>["needs"]> }),
      inputs: tasks.map(({ inputs }) => inputs.map(({ ref }) => ref)),
      ...(found.some((each) => each !== undefined) && {
        found: found.map((each) => each?.map(({ bytes, nodes }) => ({ bytes, nodes: [...nodes] }))),
      }),
    };
    for (const [i, each] of found.entries())
      each?.forEach(({ bytes, nodes }, output) => {
        const task = tasks[i]!;
        task.values[output]!.bytes = bytes;
        // Who made it is not known any more; who has it answers for it.
        for (const node of nodes) task.madeBy((task.node = node));
        if (task instanceof GraphCopy)
          task.owner = this.#core.nodes.views.get(task.node as NodeId)?.owner ?? "";
      });
    this.#core.handle({ type: "TasksSubmitted", batch } satisfies SchedulerEvent<Job | GraphTask>);
    this.#outcome.found(tasks.filter((_, i) => found[i] !== undefined));
  }
}

/** Whether two tasks can be submitted together. */
export function alike(a: TaskSpec, b: TaskSpec): boolean {
  return sizeClass(a) === sizeClass(b) && timeoutOf(a) === timeoutOf(b) && a.needs === b.needs;
}

function timeoutOf(spec: TaskSpec): number {
  return spec.timeoutMs ?? Math.ceil(LEAST_TIMEOUT_MS + TIMEOUT_TIMES * expectedMs(spec));
}
