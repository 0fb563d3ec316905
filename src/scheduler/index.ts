export * from "./events.js";
export { Scheduler } from "./scheduler.js";
export type { Counts, NodeView, TaskView } from "./scheduler.js";
