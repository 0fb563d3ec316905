export * from "./backbone.js";
export { MAX_RECORD_BYTES, MAX_VALUE_BYTES } from "./arguments.js";
export { readHolder, type Holder } from "./data-directory.js";
export type { Durability } from "./database.js";
export { openEphemeral } from "./ephemeral.js";
export { openMemory } from "./memory.js";
export { openSqlite, type SqliteBackbone, type SqliteOptions } from "./sqlite.js";
