// Models that must not run, each with what the refusal says, by the way in which they are hostile.
import { arities, attributes } from "./arguments.js";
import type { Hostile } from "./case.js";
import { data } from "./data.js";
import { files } from "./files.js";
import { greedy } from "./greedy.js";
import { lies } from "./lies.js";
import { loops } from "./loops.js";
import { types } from "./misfits.js";
import { names } from "./names.js";
import { unknown } from "./unknown.js";

export const hostile: readonly Hostile[] = [
  ...files,
  ...unknown,
  ...names,
  ...attributes,
  ...arities,
  ...types,
  ...data,
  ...lies,
  ...greedy,
  ...loops,
];
