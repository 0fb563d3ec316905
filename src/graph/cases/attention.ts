// How each row of attention is tried.
import type { Cases } from "./case.js";

export const attention: Cases = {};
