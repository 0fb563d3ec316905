// How each row of the family is tried.
import type { Expression } from "../expression.js";
import type { Case, Cases } from "./case.js";

type Pair = (p: Expression, t: Expression) => Expression;

/** Predictions and targets of one shape. */
const pairs = (call: Pair, range?: readonly [number, number]): Case[] =>
  ["T 3,4", "T 5"].map((spec) => ({
    inputs: [spec, spec],
    call: (p, t) => call(p!, t!),
    ...(range && { range }),
  }));
/** Predictions by class, with integer classes and with probabilities. */
const classes = (call: Pair, range: readonly [number, number]): Case[] => [
  { inputs: ["T 3,4", "int64 3"], call: (p, t) => call(p!, t!), range },
  { inputs: ["T 2,3,4", "uint8 2,3"], call: (p, t) => call(p!, t!), range },
  { inputs: ["T 3,4", "T 3,4"], call: (p, t) => call(p!, t!.softmax()), range },
];
const UNIT = [0.05, 0.95] as const;
const POSITIVE = [0.2, 3] as const;

export const loss: Cases = {
  squaredError: pairs((p, t) => p.squaredError(t)),
  absoluteError: pairs((p, t) => p.absoluteError(t)),
  squaredLogError: pairs((p, t) => p.squaredLogError(t), POSITIVE),
  meanSquaredError: [
    ...pairs((p, t) => p.meanSquaredError(t)),
    { inputs: ["T 3,4", "T 3,4"], call: (p, t) => p!.meanSquaredError(t!, -1) },
  ],
  meanAbsoluteError: pairs((p, t) => p.meanAbsoluteError(t)),
  rootMeanSquaredError: pairs((p, t) => p.rootMeanSquaredError(t, 0)),
  meanSquaredLogError: pairs((p, t) => p.meanSquaredLogError(t), POSITIVE),
  huber: [...pairs((p, t) => p.huber(t)), { inputs: ["T 3,4", "T 3,4"], call: (p, t) => p!.huber(t!, 0.5) }],
  smoothL1: pairs((p, t) => p.smoothL1(t, 0.7)),
  logCosh: pairs((p, t) => p.logCosh(t)),
  quantileLoss: pairs((p, t) => p.quantileLoss(t, 0.9)),
  poissonLoss: [
    ...pairs((p, t) => p.poissonLoss(t), POSITIVE),
    ...pairs((p, t) => p.poissonLoss(t, true), POSITIVE),
  ],
  gaussianLoss: [
    { inputs: ["T 3,4", "T 3,4", "T 3,4"], call: (m, t, v) => m!.gaussianLoss(t!, v!), range: POSITIVE },
  ],
  hinge: pairs((p, t) => p.hinge(t)),
  squaredHinge: pairs((p, t) => p.squaredHinge(t)),
  binaryCrossEntropy: pairs((p, t) => p.binaryCrossEntropy(t), UNIT),
  sigmoidCrossEntropy: pairs((p, t) => p.sigmoidCrossEntropy(t)),
  focalLoss: pairs((p, t) => p.focalLoss(t), UNIT),
  klDivergence: pairs((p, t) => p.klDivergence(t), UNIT),
  cosineSimilarity: pairs((p, t) => p.cosineSimilarity(t, 0)),
  cosineLoss: pairs((p, t) => p.cosineLoss(t)),
  diceLoss: [
    ...pairs((p, t) => p.diceLoss(t), UNIT),
    { inputs: ["T 3,4", "T 3,4"], call: (p, t) => p!.diceLoss(t!, 1), range: UNIT },
  ],
  contrastiveLoss: pairs((p, t) => p.contrastiveLoss(t), UNIT),
  tripletLoss: [{ inputs: ["T 3,4", "T 3,4", "T 3,4"], call: (a, p, n) => a!.tripletLoss(p!, n!, 2) }],
  softmaxCrossEntropy: [
    ...classes((p, t) => p.softmaxCrossEntropy(t), [0, 3]),
    {
      inputs: ["T 3,4", "int64 3"],
      call: (p, t) => p!.softmaxCrossEntropy(t!, { smoothing: 0.1 }),
      range: [0, 3],
    },
  ],
  crossEntropy: classes((p, t) => p.crossEntropy(t), POSITIVE),
  negativeLogLikelihood: classes((p, t) => p.negativeLogLikelihood(t), [0, 3]),
  categoricalHinge: classes((p, t) => p.categoricalHinge(t), [0, 3]).slice(0, 2),
};
