// How each row of pooling is tried.
import type { Cases } from "./case.js";

export const pooling: Cases = {};
