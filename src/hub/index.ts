export { startHub } from "./hub.js";
export type { Hub } from "./running-hub.js";
export type { HubOptions } from "./options.js";
export { TOKEN_FILE, TokenStore, type TokenRecord } from "./tokens.js";
export { isLoopback } from "./gate.js";
export { DEFAULT_LIMITS, type HubLimits } from "./limits.js";
export type { LogOptions } from "./log.js";
export { SOFTWARE, VERSION } from "./version.js";
