// Where programs run: a number of engines that can be killed, behind one interface for processes, threads and workers.
import type { Tensor } from "../tensor/index.js";

/** What an engine is; machines with the same name, version, provider, threads and cpu compute the same bits. */
export interface EngineFacts {
  readonly name: string;
  readonly version: string;
  readonly provider: string;
  readonly threads: number;
  readonly cpu: string;
  readonly device?: string;
  readonly dtypes: readonly string[];
}

/** What the benchmark says of one slot: floating-point operations and bytes a second, milliseconds a call costs besides. */
export interface EngineFigures {
  readonly flops: number;
  readonly memory: number;
  readonly convolution?: number;
  readonly callMs: number;
}

/** One run in a slot that can be killed. */
export interface ProgramRun {
  /** `ms`: in the engine. Rejects with `program_error`, `program_refused`, `engine_crashed`, `out_of_memory`. */
  readonly settled: Promise<{ readonly outputs: readonly Tensor[]; readonly ms: number }>;
  /** Ends it at once; its slot can be used again. */
  kill(): void;
}

export interface EngineSlots {
  readonly facts: EngineFacts;
  /**
   * Runs a model on inputs by position. The model is asked for only where no session of its hash is at hand. Callers start
   * no more than there are slots.
   */
  run(
    program: { readonly hash: string; readonly model: () => Promise<Uint8Array> },
    inputs: readonly Tensor[],
  ): ProgramRun;
  /** Under two seconds, in the engine that will run the programs; kept for the next visit. */
  benchmark(): Promise<EngineFigures>;
  close(): Promise<void>;
}
