// Several slots as one: a run goes to the slot that has least to do.
import type { Tensor } from "../tensor/index.js";
import { benchmark } from "./benchmark.js";
import { EngineSlot } from "./engine-slot.js";
import type { StartPlace } from "./place.js";
import type { EngineFacts, EngineFigures, EngineSlots, ProgramRun, ProgramSource } from "./slot.js";

/** Where figures stay from one visit to the next. */
export interface FiguresStore {
  read(key: string): Promise<EngineFigures | undefined>;
  write(key: string, figures: EngineFigures): Promise<void>;
}

export interface SlotsOptions {
  readonly slots: number;
  /** Bytes of sessions that each slot keeps loaded, about; an eighth of the memory by default. */
  readonly cacheBytes: number;
  readonly figures?: FiguresStore;
}

/** Starts the first engine, and says what it is. Throws a FlockworkError where it does not start. */
export async function engineSlots(
  start: StartPlace,
  { slots, cacheBytes, figures }: SlotsOptions,
): Promise<EngineSlots> {
  const all = Array.from({ length: slots }, () => new EngineSlot(start, cacheBytes));
  const facts = await all[0]!.ready();
  let closed = false;
  const run = (program: ProgramSource, inputs: readonly Tensor[]): ProgramRun =>
    all.reduce((best, slot) => (slot.waiting < best.waiting ? slot : best)).run(program, inputs);
  return {
    facts,
    run,
    async benchmark(): Promise<EngineFigures> {
      const key = keyOf(facts);
      const known = await figures?.read(key);
      if (known) return known;
      // The same slot for all of it: another would have to be started first.
      const measured = await benchmark((program, inputs) => all[0]!.run(program, inputs).settled);
      await figures?.write(key, measured);
      return measured;
    },
    resize(slots: number): void {
      if (closed) return;
      while (all.length < slots) all.push(new EngineSlot(start, cacheBytes));
      for (const slot of all.splice(slots)) void slot.retire();
    },
    async close(): Promise<void> {
      closed = true;
      await Promise.all(all.map((slot) => slot.close()));
    },
  };
}

/** Where all of these are the same, so are the figures. */
function keyOf({ name, version, provider, threads, cpu, device = "" }: EngineFacts): string {
  return [name, version, provider, threads, cpu, device].join(" | ");
}
