// Makes a node one that computes programs: its engine, benchmarked, and its store of values.
import { FlockworkError } from "../../ids/index.js";
import type { EngineFigures, EngineSlots } from "../../engine/slot.js";
import type { ComputingNodeOptions, NodeRuntime } from "../node-options.js";
import { ValueStore } from "../values/value-store.js";

export interface OpenedEngine {
  readonly engine: EngineSlots;
  readonly figures: EngineFigures;
  readonly store: ValueStore;
}

const DEFAULT_VALUES_MB = 1024;

/** Undefined for a node that only offers services: it never loads an engine. Throws `bad_argument` where there is none. */
export async function openEngine(
  { engine, services, slots = 1, valuesMb = DEFAULT_VALUES_MB, spill }: ComputingNodeOptions,
  runtime: NodeRuntime,
  onLost: (name: string) => void,
): Promise<OpenedEngine | undefined> {
  const wanted = engine ?? (services === undefined ? {} : false);
  if (wanted === false) return undefined;
  if (!(valuesMb > 0)) throw new FlockworkError("bad_argument", `valuesMb is ${valuesMb}; give MiB above 0.`);
  if (runtime.engine === undefined)
    throw new FlockworkError(
      "bad_argument",
      "Nodes compute no programs here: give the node services, or an engine in its runtime.",
    );
  const opened = await runtime.engine({ ...wanted, slots });
  try {
    const figures = await opened.benchmark();
    const store = new ValueStore({
      limit: Math.floor(valuesMb * 1024 * 1024),
      spill: runtime.spill?.(spill),
      onLost,
    });
    return { engine: opened, figures, store };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
