// How each row of host is tried.
import type { Cases } from "./case.js";

export const host: Cases = {};
