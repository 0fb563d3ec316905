// What a client remembers of a graph that nodes compute: programs, values it gave, tasks. Data only; book.ts keeps it.
import type { AttemptFailure } from "../../ids/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Operation } from "./operation.js";

export interface ProgramRecord {
  readonly hash: string;
  readonly model: Uint8Array;
  /** What each output is, -1 where a length is known by running only. */
  readonly outputs: readonly (readonly [dtype: string, shape: readonly number[]])[];
}

/** A tensor that this client gave. It has a number once a task that needs it is sent. */
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
  /** What the bytes must hash to, where several nodes agreed on them. */
  readonly sha256: string | undefined;
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
  readonly number: number;
  /** Whether this hub knows of it: an earlier one may have. */
  atHub: boolean;
  readonly program: ProgramRecord;
  /** Emptied when nobody will compute it again. */
  inputs: readonly TaskInput[];
  /** How many tasks in a row would have to be computed again to have its outputs at another hub. */
  depth: number;
  /** Its inputs are gone while an output is not here: at another hub it is lost. */
  cut: boolean;
  readonly outputs: number;
  readonly flops: number;
  readonly memory: number;
  /** What it computes, for people. */
  readonly operations: readonly Operation[];
  /** Where it was computed. */
  node: string;
  state: "waiting" | "done" | "failed";
  failure: TaskFailure | undefined;
  readonly held: Map<number, Held>;
}

/** A task before it is one: what a plan makes. */
export type NewTask = Pick<TaskRecord, "program" | "inputs" | "outputs" | "flops" | "memory" | "operations">;

export function isRef(input: object): input is Ref {
  return "task" in input;
}
