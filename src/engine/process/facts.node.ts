// What both ends of an engine process must agree on.
import type { FromEngine, ToEngine } from "../dialogue.js";
import type { EngineOptions } from "../start-engine.node.js";

/** On this pipe frames go both ways. */
export const PIPE_FD = 3;
/** This one closes when whoever started the engine is gone, however it went; the engine says on it why it kills itself. */
export const LIFELINE_FD = 4;
export const TOO_MUCH = "memory";
/** The first of the lanes, where there are any. Two, so that one run's tensors can be written while another's run. */
export const LANES_FD = 5;
export const LANES = 2;

/** The one argument of an engine process, as JSON. */
export interface EngineProcessOptions extends EngineOptions {
  /** Bytes that one program may need at once, as `check` counts. */
  readonly memory: number;
  /** Bytes by which the process may grow from what it is when nothing has run yet. It is killed above. */
  readonly growth: number;
}

/** A run has a lane for itself until it is answered. With `lengths`, its tensors (`data`) lie there. */
interface ByLane {
  readonly lane?: number | undefined;
  readonly lengths?: readonly number[] | undefined;
}

export type ToProcess = ToEngine & ByLane;
export type FromProcess = FromEngine & ByLane;
