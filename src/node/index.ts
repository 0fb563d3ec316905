export * from "./computing-node.js";
export type { ComputingNodeOptions, NodeRuntime } from "./node-options.js";
export * from "./service.js";
export { noModules, type ModuleRunner } from "./runner.js";
