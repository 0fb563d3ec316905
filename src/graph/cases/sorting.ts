// How each row of sorting is tried.
import type { Cases } from "./case.js";

export const sorting: Cases = {};
