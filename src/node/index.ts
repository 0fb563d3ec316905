export * from "./computing-node.js";
export type { ComputingNodeOptions, EngineOptions, NodeRuntime, Notes } from "./node-options.js";
export * from "./service.js";
export { noModules, type ModuleRunner } from "./runner.js";
