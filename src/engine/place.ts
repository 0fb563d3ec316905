// Where one engine lives: a process, a thread, a page's worker. The slot above it only sends, hears and kills.
import type { FromEngine, ToEngine } from "./dialogue.js";

/** How an engine ended that nobody had told to. */
export interface EngineEnd {
  readonly code: "engine_crashed" | "out_of_memory";
  readonly message: string;
}

export interface EngineListener {
  message(message: FromEngine): void;
  /** Once, and not after kill(). */
  ended(why: EngineEnd): void;
}

export interface EnginePlace {
  /** In this order; all of one call travel together. */
  send(messages: readonly ToEngine[]): void;
  /** Whether something runs: only then it keeps this process alive. */
  busy(yes: boolean): void;
  /** Ends it at once; resolves when it is gone. */
  kill(): Promise<void>;
}

export type StartPlace = (listener: EngineListener) => EnginePlace;
