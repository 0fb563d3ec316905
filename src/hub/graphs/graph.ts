// Graphs as the hub holds them in memory: their tasks and values, and the names under which nodes know the values.
// Nothing of it is journaled: the client sends its graph again to a hub that has forgotten it.
import { createHash } from "node:crypto";
import type { TaskId } from "../../ids/index.js";
import type { ValueRef } from "../../scheduler/index.js";
import type { MessageOf } from "../../wire/index.js";
import type { BlobPayload } from "../jobs.js";
import type { Peer } from "../peer.js";
import type { ClientSession } from "../sessions.js";
import type { OutputType } from "./output-type.js";

export type TaskSpec = MessageOf<"tasks">["list"][number];

/** One value: an output of a task, or one that the client gave. */
export class GraphValue {
  /** Of its tensor's encoding; -1 while it is not known. */
  bytes = -1;
  /** Its bytes, where the hub has them because they are few. */
  data: Uint8Array | undefined = undefined;
  /** Where it is stored, once it is to outlast its graph. */
  blob: BlobPayload | undefined = undefined;
  /** The client will read it. */
  wanted = false;
  /** Nobody will ask for it any more. */
  released = false;

  /** What its bytes must hash to, where several nodes agreed on them. */
  sha256: string | undefined = undefined;
  /** Nodes that hold it from a copy of its task, and under which name each. */
  #holders: ReadonlyMap<string, string> | undefined = undefined;

  constructor(
    /** What nodes call it. */
    public name: string,
    readonly graph: Graph,
    readonly ref: ValueRef,
    /** The number of the task or of the given value at the client. */
    readonly number: number,
    readonly kind: "output" | "given",
    /** What it must be, as the client says. */
    readonly type?: OutputType,
  ) {}

  /** It is the same as another: `holders` hold these bytes, under the names of copies. */
  adopt(
    { name, bytes, data }: GraphValue,
    sha256: string | undefined,
    holders: ReadonlyMap<string, string>,
  ): void {
    this.name = name;
    this.bytes = bytes;
    this.data = data;
    this.sha256 = sha256;
    this.#holders = holders;
  }

  /** What this node calls it. */
  nameAt(node: string): string {
    return this.#holders?.get(node) ?? this.name;
  }

  /** Whether what this node holds under the name of a copy is this value's. */
  keeps(node: string, name: string): boolean {
    return this.#holders?.get(node) === name;
  }

  get output(): readonly [task: number, output: number] {
    return [this.number, this.ref.output];
  }
}

/** One task of a graph: a tag of the scheduler. */
export class GraphTask {
  state: "open" | "done" | "failed" = "open";
  readonly values: readonly GraphValue[];
  /** What it computes on, in the order of the program's inputs. */
  readonly inputs: readonly GraphValue[];
  /** Where it was computed first, how long that took, and when it had been, in milliseconds since 1970. */
  node = "";
  ms = 0;
  endedAt = 0;
  /** All who have computed it. */
  makers: readonly string[] = [];

  constructor(
    readonly graph: Graph,
    readonly number: number,
    readonly task: TaskId,
    readonly spec: TaskSpec,
    readonly replicas: number,
    inputs: readonly GraphValue[],
    /** Tells copies of one task apart. */
    mark = "",
  ) {
    this.inputs = inputs;
    const types = graph.programs.get(spec.program);
    this.values = Array.from({ length: spec.outputs }, (_, output) => {
      const name = graph.nameOf(`${number} ${output} ${spec.program} ${mark}`);
      return new GraphValue(name, graph, { task, output }, number, "output", types?.[output]);
    });
  }

  madeBy(node: string): void {
    if (!this.makers.includes(node)) this.makers = [...this.makers, node];
  }
}

export class Graph {
  readonly tasks = new Map<number, GraphTask>();
  readonly givens = new Map<number, GraphValue>();
  /** The programs that its client has sent, by hash: what their outputs are, where it says so. */
  readonly programs = new Map<string, readonly OutputType[] | undefined>();
  /** Numbers of tasks that are done and forgotten. */
  readonly over = new Set<number>();
  /** What it keeps beyond its end, by name, and the connection over which that was asked. */
  readonly kept = new Map<string, { readonly value: GraphValue; peer: Peer | undefined }>();
  readonly startedAt = Date.now();
  done = 0;
  failed = 0;
  /** Tasks so far: those whose values are all released are forgotten. */
  total = 0;
  /** Bytes of values that the hub holds for it. */
  hubBytes = 0;

  constructor(
    readonly id: string,
    readonly session: ClientSession,
  ) {}

  /** What nodes call a value of this graph: the same after a restart of the hub. Nobody else can tell it. */
  nameOf(what: string): string {
    return createHash("sha256")
      .update(JSON.stringify([this.session.id, this.id, what]))
      .digest("hex");
  }

  value(of: number | readonly [task: number, output: number]): GraphValue | undefined {
    return typeof of === "number" ? this.givens.get(of) : this.tasks.get(of[0])?.values[of[1]];
  }
}
