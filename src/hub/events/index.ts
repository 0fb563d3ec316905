export type { Counts, Traffic } from "./counts.js";
export { EventFeed, type Watcher } from "./feed.js";
export { answerEvents } from "./route.js";
export { jobSetRow } from "./job-sets.js";
export { nodeRow } from "./node-rows.js";
export { Watch } from "./watch.js";
