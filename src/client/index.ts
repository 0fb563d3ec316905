export * from "./main-node.js";
export type { ClientRuntime } from "./client-link.js";
export type { MainNodeOptions, RequestOptions } from "./main-node-options.js";
export { Batch, type JobSource } from "./batch.js";
export type { JobOptions } from "./job-options.js";
export { PendingRequest } from "./request.js";
export { Solution, Unsolved, type Result } from "./result.js";
export * from "./graph/index.js";
