export type { Brain, Watcher } from "./brain.js";
export type { Outcome } from "./measures.js";
export { Histogram, startOf } from "./measures.js";
export { SCENARIOS, parseScenario, scenario } from "./scenario.js";
export type { Scenario } from "./scenario.js";
export { boundOf, speedOf, totalWork, workOf, write } from "./script.js";
export type { Script, ScriptEvent } from "./script.js";
export { Simulation } from "./simulation.js";
export type { SimulationOptions } from "./simulation.js";
