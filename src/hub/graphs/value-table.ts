// Values by the names that nodes use and by the references that the scheduler uses.
import type { NodeId } from "../../ids/index.js";
import type { ValueRef } from "../../scheduler/index.js";
import type { GraphTask, GraphValue } from "./graph.js";

/** What nodes hold from before this hub started, and nobody has asked for yet. */
export interface Stray {
  readonly bytes: number;
  readonly nodes: Set<NodeId>;
}

export class ValueTable {
  readonly #byName = new Map<string, GraphValue>();
  readonly #byTask = new Map<number, readonly GraphValue[]>();
  readonly #strays = new Map<string, Stray>();

  add(values: readonly GraphValue[]): void {
    this.#byTask.set(values[0]!.ref.task, values);
    for (const value of values) this.#byName.set(value.name, value);
  }

  delete(values: readonly GraphValue[]): void {
    this.#byTask.delete(values[0]!.ref.task);
    for (const value of values) if (this.#byName.get(value.name) === value) this.#byName.delete(value.name);
  }

  /** The name is this value's from now on, be it one that was another's. */
  rename(value: GraphValue, name = value.name): void {
    this.#byName.set(name, value);
  }

  named(name: string): GraphValue | undefined {
    return this.#byName.get(name);
  }

  at({ task, output }: ValueRef): GraphValue | undefined {
    return this.#byTask.get(task)?.[output];
  }

  stray(name: string, bytes: number, node: NodeId): void {
    const known = this.#strays.get(name);
    if (known === undefined) this.#strays.set(name, { bytes, nodes: new Set([node]) });
    else known.nodes.add(node);
  }

  /** Where all outputs of a new task are already; undefined unless nodes hold each of them. */
  claim(task: GraphTask): readonly Stray[] | undefined {
    const found = task.values.map(({ name }) => this.#strays.get(name));
    if (!found.every((stray) => stray !== undefined)) return undefined;
    for (const { name } of task.values) this.#strays.delete(name);
    return found;
  }

  /** The node is gone, or has been told to drop them. Returns the names it held. */
  forgetStrays(node: NodeId): string[] {
    const names: string[] = [];
    for (const [name, { nodes }] of this.#strays)
      if (nodes.delete(node)) {
        names.push(name);
        if (nodes.size === 0) this.#strays.delete(name);
      }
    return names;
  }

  get strays(): number {
    return this.#strays.size;
  }
}
