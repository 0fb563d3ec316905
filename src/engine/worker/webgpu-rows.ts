// Which programs are not for WebGPU: what its kernels get wrong without saying so. What they refuse is found when a program loads or runs.
// The table comes from every row of the catalogue on onnxruntime-web 1.30; test/browser/webgpu.test.ts holds it against that.
// Infinities and NaN are not in it: WGSL promises none, so that a logarithm of 0 may be a large negative number.
import type { Attrs } from "../../graph/row.js";
import { load } from "../../graph/index.js";
import type { Node } from "../../graph/expression.js";
import { topological } from "../../graph/walk.js";

/** WGSL lets sine and cosine lie 2^-11 off, and what is made of them further: results of other nodes would not agree. */
const IMPRECISE = "is too imprecise there";

interface Unfit {
  readonly why: string;
  readonly where?: (node: Node) => boolean;
}

const UNFIT: { readonly [row: string]: Unfit } = {
  sin: { why: IMPRECISE },
  cos: { why: IMPRECISE },
  tan: { why: IMPRECISE },
  acos: { why: IMPRECISE },
  asin: { why: IMPRECISE },
  instanceNorm: { why: "leaves out its epsilon there" },
  convTranspose: {
    why: "along one axis is wrong there",
    where: ({ inputs }) => inputs[0]!.shape.length === 3,
  },
  slice: {
    why: "in negative steps is wrong there",
    where: ({ attrs }) => (attrs as Attrs & { steps: readonly number[] }).steps.some((step) => step < 0),
  },
};

/** Why a model that `check` let pass is not for WebGPU; undefined where it is. */
export function unfitForWebGpu(model: Uint8Array): string | undefined {
  for (const node of topological(Object.values(load(model).outputs))) {
    const unfit = UNFIT[node.row.name];
    if (unfit !== undefined && (unfit.where?.(node) ?? true)) return `${node.row.name} ${unfit.why}`;
  }
  return undefined;
}
