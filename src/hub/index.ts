export { startHub, type Hub, type HubOptions } from "./hub.js";
export { DEFAULT_LIMITS, type HubLimits } from "./limits.js";
export type { LogOptions } from "./log.js";
export { SOFTWARE, VERSION } from "./version.js";
