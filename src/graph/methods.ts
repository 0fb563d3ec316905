// The types of Expression's methods, derived from the catalogue's functions. No code.
import type * as compare from "./catalogue/compare.js";
import type * as attention from "./catalogue/attention.js";
import type * as conv from "./catalogue/conv.js";
import type * as einsum from "./catalogue/einsum.js";
import type * as flow from "./catalogue/flow.js";
import type * as host from "./catalogue/host.js";
import type * as norm from "./catalogue/norm.js";
import type * as pooling from "./catalogue/pooling.js";
import type * as random from "./catalogue/random.js";
import type * as sorting from "./catalogue/sorting.js";
import type * as stats from "./catalogue/stats.js";
import type * as elementwise from "./catalogue/elementwise.js";
import type * as indexing from "./catalogue/indexing.js";
import type * as linear from "./catalogue/linear.js";
import type * as loss from "./catalogue/loss.js";
import type * as nn from "./catalogue/nn.js";
import type * as reduce from "./catalogue/reduce.js";
import type * as shape from "./catalogue/shaping.js";

/** Rows of one family as methods: the first operand is `this`. */
type MethodsOf<M> = {
  readonly [K in keyof M as M[K] extends { readonly method: true } ? K : never]: M[K] extends (
    first: infer _This,
    ...rest: infer R
  ) => infer O
    ? (...rest: R) => O
    : never;
};

/** Every method of an expression. */
export interface Methods
  extends
    MethodsOf<typeof elementwise>,
    MethodsOf<typeof compare>,
    MethodsOf<typeof reduce>,
    MethodsOf<typeof shape>,
    MethodsOf<typeof indexing>,
    MethodsOf<typeof linear>,
    MethodsOf<typeof nn>,
    MethodsOf<typeof attention>,
    MethodsOf<typeof conv>,
    MethodsOf<typeof einsum>,
    MethodsOf<typeof flow>,
    MethodsOf<typeof host>,
    MethodsOf<typeof norm>,
    MethodsOf<typeof pooling>,
    MethodsOf<typeof random>,
    MethodsOf<typeof sorting>,
    MethodsOf<typeof stats>,
    MethodsOf<typeof loss> {}
