export * from "./ids.js";
export * from "./errors.js";
