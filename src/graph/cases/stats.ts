// How each row of stats is tried.
import type { Cases } from "./case.js";

export const stats: Cases = {};
