export * from "./computing-node.js";
export * from "./service.js";
export { noModules, type ModuleRunner } from "./runner.js";
