export * from "./frame.js";
export * from "./messages.js";
export * from "./payloads.js";
export * from "./runs.js";
export * from "./content.js";
