// How each row of einsum is tried.
import type { Cases } from "./case.js";

export const einsum: Cases = {};
