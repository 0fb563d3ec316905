export * from "./events.js";
export { Scheduler } from "./scheduler.js";
export { RECORD_FORMAT, decodeEvent, encodeEvent } from "./record.js";
export type { RecordHead, RecordLine } from "./record.js";
export type { Counts, NodeView, TaskView } from "./scheduler.js";
