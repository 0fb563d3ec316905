// Several slots as one: a run goes to the slot that has least to do.
import type { Tensor } from "../tensor/index.js";
import { EngineSlot } from "./engine-slot.js";
import type { StartPlace } from "./place.js";
import type { EngineFigures, EngineSlots, ProgramRun, ProgramSource } from "./slot.js";

export interface SlotsOptions {
  readonly slots: number;
  /** Bytes of sessions that each slot keeps, about. */
  readonly cacheBytes: number;
}

/** Starts the first engine, and says what it is. Throws a FlockworkError where it does not start. */
export async function engineSlots(
  start: StartPlace,
  { slots, cacheBytes }: SlotsOptions,
): Promise<EngineSlots> {
  const all = Array.from({ length: slots }, () => new EngineSlot(start, cacheBytes));
  const facts = await all[0]!.facts();
  return {
    facts,
    run(program: ProgramSource, inputs: readonly Tensor[]): ProgramRun {
      const least = all.reduce((best, slot) => (slot.waiting < best.waiting ? slot : best));
      return least.run(program, inputs);
    },
    benchmark(): Promise<EngineFigures> {
      return Promise.reject(new Error("not yet"));
    },
    close(): Promise<void> {
      for (const slot of all) slot.close();
      return Promise.resolve();
    },
  };
}
