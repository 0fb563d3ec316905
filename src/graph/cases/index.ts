// All cases, by row name. A test makes sure that no row is without.
import type { Cases } from "./case.js";
import { compare } from "./compare.js";
import { attention } from "./attention.js";
import { conv } from "./conv.js";
import { einsum } from "./einsum.js";
import { flow } from "./flow.js";
import { host } from "./host.js";
import { norm } from "./norm.js";
import { pooling } from "./pooling.js";
import { random } from "./random.js";
import { sorting } from "./sorting.js";
import { stats } from "./stats.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { linear } from "./linear.js";
import { loss } from "./loss.js";
import { nn } from "./nn.js";
import { reduce } from "./reduce.js";
import { shaping } from "./shaping.js";

export { type Case } from "./case.js";
export const cases: Cases = {
  ...elementwise,
  ...compare,
  ...reduce,
  ...shaping,
  ...indexing,
  ...linear,
  ...nn,
  ...loss,
  ...attention,
  ...conv,
  ...einsum,
  ...flow,
  ...host,
  ...norm,
  ...pooling,
  ...random,
  ...sorting,
  ...stats,
};
