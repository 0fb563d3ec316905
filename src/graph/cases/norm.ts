// How each row of norm is tried.
import type { Cases } from "./case.js";

export const norm: Cases = {};
