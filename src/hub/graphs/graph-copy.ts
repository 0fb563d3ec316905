// One of several copies of a task that nodes of different owners compute, so that their results can be compared.
import type { TaskId } from "../../ids/index.js";
import { GraphTask } from "./graph.js";

export class GraphCopy extends GraphTask {
  /** What its outputs' bytes hash to, as its node says. */
  sha256: readonly string[] | undefined = undefined;

  /** Whose node computed it. */
  owner = "";

  /** Why there is no result. */
  failure: { readonly code: string; readonly message: string } | undefined = undefined;

  constructor(
    readonly of: GraphTask,
    readonly index: number,
    task: TaskId,
  ) {
    super(of.graph, of.number, task, of.spec, 1, of.inputs, `copy ${index}`);
  }
}
