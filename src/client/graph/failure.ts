// What a graph says when operations of it failed: which, where they were built, on which node, and why.
import type { AttemptFailure } from "../../ids/index.js";
import { GraphError } from "../../graph/error.js";
import { lineOf, type Operation } from "./operation.js";
import type { TaskFailure } from "./record.js";

/** One operation that failed, or one of those of a group of which it is not known which. */
export interface OperationFailure {
  /** The operator's name, `matmul`. */
  readonly operation: string;
  /** The line that built it, `at train (file:///.../train.ts:12:9)`; undefined where the runtime does not tell. */
  readonly line: string | undefined;
  readonly code: string;
  readonly message: string;
  /** The node of the last attempt. */
  readonly node: string | undefined;
  readonly reasons: readonly AttemptFailure[];
}

/** Operations of a graph failed. */
export class GraphFailure extends GraphError {
  constructor(
    graph: string,
    readonly failures: readonly OperationFailure[],
  ) {
    const [first, ...rest] = failures;
    super(
      `graph "${graph}": ${rest.length === 0 ? "an operation" : `${failures.length} operations`} failed\n` +
        (first === undefined ? "" : failures.map(describe).join("\n")),
      "graph_failed",
    );
  }
}

function describe({ operation, line, code, message, node }: OperationFailure): string {
  return `  ${operation}${line === undefined ? "" : ` ${line}`}: ${message} (${code}${node === undefined ? "" : `, on ${node}`})`;
}

/** Which of a task's operations a failure speaks of. */
export function failuresOf(operations: readonly Operation[], failure: TaskFailure): OperationFailure[] {
  const { code, message, reasons } = failure;
  const told = reasons.at(-1)?.message ?? message;
  return culprits(operations, told).map(({ name, site }) => ({
    operation: name,
    line: lineOf(site),
    code,
    // What the node said, without the scheduler's words round it.
    message: told,
    node: reasons.at(-1)?.node,
    reasons,
  }));
}

function culprits(operations: readonly Operation[], message: string): readonly Operation[] {
  // A node of a model is called by its row and its place among the operations: gather.5
  for (const [, name, place] of message.matchAll(/\b(\w+)\.(\d+)\b/g)) {
    const operation = operations[Number(place)];
    if (operation !== undefined && operation.name === name) return [operation];
  }
  const words = new Set(message.match(/\w+/g));
  const named = operations.filter(({ name, onnx }) => words.has(name) || words.has(onnx));
  if (named.length > 0) return named;
  return [operations.at(-1) ?? { name: "a part of a value", onnx: "", site: undefined }];
}
