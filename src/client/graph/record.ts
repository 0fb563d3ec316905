// What a client remembers of a graph that nodes compute: programs, values it gave, tasks. Data only; book.ts keeps it.
import type { AttemptFailure } from "../../ids/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Operation } from "./operation.js";

export interface ProgramRecord {
  readonly hash: string;
  readonly model: Uint8Array;
}

/** A tensor that this client gave. Its number may be another after the hub has lost the graph. */
export interface GivenRecord {
  number: number;
  readonly tensor: Tensor;
}

/** An output of a task. */
export interface Ref {
  readonly task: TaskRecord;
  readonly output: number;
}

export type TaskInput = Ref | GivenRecord;

export interface TaskFailure {
  readonly code: string;
  readonly message: string;
  readonly reasons: readonly AttemptFailure[];
}

/** What the hub says of an output that was wanted: its bytes as a tensor's, and the encoding where it is small. */
export interface Arrival {
  readonly bytes: number;
  readonly data: Uint8Array | undefined;
}

/** An output that somebody waits for, or may still ask for. */
export interface Held {
  /** How many ask that it be kept. */
  holders: number;
  wanted: boolean;
  arrival: Arrival | undefined;
  waiting: { resolve(arrival: Arrival): void; reject(error: unknown): void }[];
}

export interface TaskRecord {
  number: number;
  readonly program: ProgramRecord;
  /** Emptied when nobody will compute it again. */
  inputs: readonly TaskInput[];
  readonly outputs: number;
  readonly flops: number;
  readonly memory: number;
  /** What it computes, for people. Emptied when it is done. */
  operations: readonly Operation[];
  state: "waiting" | "done" | "failed";
  failure: TaskFailure | undefined;
  readonly held: Map<number, Held>;
}

/** A task before it is one: what a plan makes. */
export type NewTask = Pick<TaskRecord, "program" | "inputs" | "outputs" | "flops" | "memory" | "operations">;

export function isRef(input: object): input is Ref {
  return "task" in input;
}
