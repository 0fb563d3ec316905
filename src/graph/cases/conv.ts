// How each row of conv is tried.
import type { Cases } from "./case.js";

export const conv: Cases = {};
