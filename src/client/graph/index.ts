export { Flock, type FlockOptions } from "./flock.js";
export { Graph, type GraphPlan } from "./graph.js";
export type { GraphOptions } from "./graph-options.js";
export { GraphFailure, type OperationFailure } from "./failure.js";
export type { RunInputs, RunOptions, RunOutputs } from "./runs.js";
export type { OperatorFigures, Progress } from "./statistics.js";
