// What a computing node sees of its engine: programs run in slots that can be killed. Processes, threads and page workers stand behind it.
import { FlockworkError, type ErrorCode } from "../ids/index.js";
import type { DType, Tensor } from "../tensor/index.js";

/** A program by the hash of its model. The model is asked for only where no engine of the slots has a session for it. */
export interface ProgramSource {
  /** SHA-256 of the model, 64 hexadecimal digits. */
  readonly hash: string;
  readonly model: () => Promise<Uint8Array>;
}

/** What a run made. `ms`: milliseconds in the engine, without the way there and back. */
export interface ProgramResult {
  readonly outputs: Tensor[];
  readonly ms: number;
}

/** One run, which can be ended from outside. */
export interface ProgramRun {
  /** Rejects with an EngineError, or with what `model()` rejected with. Never settles once it was killed. */
  readonly settled: Promise<ProgramResult>;
  /** Ends it at once. The slot is free again; its engine starts anew when it is next needed. */
  kill(): void;
}

/** What the engine is. Two of one `name`, `version`, `provider`, `threads` and `cpu` compute the same bits, but for `webgpu`. */
export interface EngineFacts {
  /** `onnxruntime-node`, `onnxruntime-web`. */
  readonly name: string;
  readonly version: string;
  /** Execution provider: `cpu`, `wasm`, `webgpu`, `cuda`. */
  readonly provider: string;
  readonly threads: number;
  /** Architecture, vendor, model and vector instructions. */
  readonly cpu: string;
  /** What a person would call the device. */
  readonly device?: string;
  readonly dtypes: readonly DType[];
}

/** What one slot does in a second, as measured. */
export interface EngineFigures {
  /** Floating-point operations of matrix products. */
  readonly flops: number;
  /** Bytes of memory read and written by elementwise operators. */
  readonly memory: number;
  /** Floating-point operations of convolutions. */
  readonly convolution: number;
  /** Milliseconds that a call costs besides. */
  readonly callMs: number;
}

export interface EngineSlots {
  readonly facts: EngineFacts;
  /**
   * Runs a program on `inputs`, in the order of its model's own; they must not change until it has settled. More runs than there
   * are slots wait their turn. Throws `closed` after close(), a RangeError for 4 GiB of inputs and more.
   */
  run(program: ProgramSource, inputs: readonly Tensor[]): ProgramRun;
  /** Measures this device, in under two seconds, or reads what was kept of an earlier time. */
  benchmark(): Promise<EngineFigures>;
  /** Runs so many at the same time from now on. Those that are under way in engines too many are finished. */
  resize(slots: number): void;
  /** Ends every engine. Runs that have not settled never do. */
  close(): Promise<void>;
}

/** Why a run failed. */
export class EngineError extends FlockworkError {
  constructor(
    code: Extract<ErrorCode, "program_error" | "program_refused" | "engine_crashed" | "out_of_memory">,
    message: string,
    /** Whether another try may end otherwise: not where the program itself is at fault. */
    readonly retry: boolean,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.name = "EngineError";
  }
}
