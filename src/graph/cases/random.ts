// How each row of random is tried.
import type { Cases } from "./case.js";

export const random: Cases = {};
