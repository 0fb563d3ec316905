// Losses, each a composition. Those of regression give one value an element, those of classification one an example, so that the caller
// chooses mean or sum; those named after a mean (MSE, MAE, RMSE, MSLE) take it.
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { meet, toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, type Operator } from "../row.js";
import { isFloat, printType, sameShape } from "../shape.js";
import type { Axis } from "./reduce.js";

const family = "loss" as const;

/** A loss of two operands of the same shape, and its settings. */
type Loss<O extends readonly unknown[] = []> = Operator<
  (prediction: Operand, target: Operand, ...options: O) => Expression
>;

/** A loss between a prediction and a target of the same shape. A target that broadcasts is refused: it is nearly always a mistake. */
function loss<O extends readonly unknown[] = []>(
  name: string,
  doc: string,
  f: (prediction: Expression, target: Expression, ...options: O) => Expression,
): Loss<O> {
  return operator(compositionRow(name, family, doc), (first: Operand, second: Operand, ...options: O) =>
    f(...pair(name, first, second), ...options),
  );
}

function pair(name: string, first: Operand, second: Operand): [prediction: Expression, target: Expression] {
  const [prediction, target] = meet(name, first, second).map((x) => toFloat(name, x)) as [
    Expression,
    Expression,
  ];
  if (!sameShape(prediction.shape, target.shape) && target.rank > 0)
    throw new GraphError(
      `${name}: the prediction is ${printType(prediction.type)}, the target ${printType(target.type)}; ` +
        `they must have the same shape: reshape() or broadcastTo() one of them`,
    );
  return [prediction, target];
}

/** log(x), finite at 0. */
function safeLog(x: Expression): Expression {
  return x.maximum(x.dtype === "float16" ? 1e-4 : 1e-12).log();
}

export const squaredError: Loss = loss("squaredError", "The square of the difference.", (p, t) => {
  const d = p.sub(t);
  return d.mul(d);
});
export const absoluteError: Loss = loss("absoluteError", "The size of the difference.", (p, t) =>
  p.sub(t).abs(),
);
export const squaredLogError: Loss = loss(
  "squaredLogError",
  "The square of log(1 + prediction) - log(1 + target).",
  (p, t) => {
    const d = p.add(1).log().sub(t.add(1).log());
    return d.mul(d);
  },
);
export const meanSquaredError: Loss<[axis?: Axis]> = loss(
  "meanSquaredError",
  "The mean of the squared differences, over axes or all.",
  (p, t, axis) => p.squaredError(t).mean(axis),
);
export const meanAbsoluteError: Loss<[axis?: Axis]> = loss(
  "meanAbsoluteError",
  "The mean of the differences' sizes, over axes or all.",
  (p, t, axis) => p.absoluteError(t).mean(axis),
);
export const rootMeanSquaredError: Loss<[axis?: Axis]> = loss(
  "rootMeanSquaredError",
  "The root of the mean squared difference, over axes or all.",
  (p, t, axis) => p.meanSquaredError(t, axis).sqrt(),
);
export const meanSquaredLogError: Loss<[axis?: Axis]> = loss(
  "meanSquaredLogError",
  "The mean of the squared differences of log(1 + x), over axes or all.",
  (p, t, axis) => p.squaredLogError(t).mean(axis),
);

export const huber: Loss<[delta?: number]> = loss(
  "huber",
  "Half of the squared difference up to delta (1 unless told), linear beyond.",
  (p, t, delta = 1) => {
    const size = p.sub(t).abs();
    const near = size.minimum(delta);
    return near.mul(size.sub(near.mul(0.5)));
  },
);
export const smoothL1: Loss<[beta?: number]> = loss(
  "smoothL1",
  "huber(beta) / beta, as detectors use it.",
  (p, t, beta = 1) => p.huber(t, beta).div(beta),
);
export const logCosh: Loss = loss("logCosh", "log(cosh(difference)), without overflow.", (p, t) => {
  const d = p.sub(t);
  return d.add(d.mul(-2).softplus()).sub(Math.LN2);
});
export const quantileLoss: Loss<[quantile?: number]> = loss(
  "quantileLoss",
  "The pinball loss, whose smallest mean is at that quantile (0.5 unless told).",
  (p, t, quantile = 0.5) => {
    const d = t.sub(p);
    return d.mul(quantile).maximum(d.mul(quantile - 1));
  },
);
export const poissonLoss: Loss<[logarithmic?: boolean]> = loss(
  "poissonLoss",
  "The negative log-likelihood of counts by a Poisson rate, or by its logarithm, up to a constant.",
  (p, t, logarithmic = false) => (logarithmic ? p.exp().sub(t.mul(p)) : p.sub(t.mul(safeLog(p)))),
);
export const gaussianLoss: Operator<
  (mean: Operand, target: Operand, variance: Operand, epsilon?: number) => Expression
> = operator(
  compositionRow(
    "gaussianLoss",
    family,
    "The negative log-likelihood of the target by a mean and a variance, up to a constant; the variance counts as at least epsilon (1e-6 unless told).",
  ),
  (first: Operand, second: Operand, third: Operand, epsilon = 1e-6) => {
    const [mean, target] = pair("gaussianLoss", first, second);
    const variance = toFloat("gaussianLoss", third).maximum(epsilon);
    return variance.log().add(mean.squaredError(target).div(variance)).mul(0.5);
  },
);

export const hinge: Loss = loss("hinge", "max(0, 1 - target * score), for targets of -1 and 1.", (p, t) =>
  p.mul(t).neg().add(1).relu(),
);
export const squaredHinge: Loss = loss("squaredHinge", "The square of the hinge loss.", (p, t) => {
  const h = p.hinge(t);
  return h.mul(h);
});
export const binaryCrossEntropy: Loss = loss(
  "binaryCrossEntropy",
  "-target * log(p) - (1 - target) * log(1 - p), for probabilities; from scores, sigmoidCrossEntropy is exact.",
  (p, t) => {
    const other = t.neg().add(1);
    return t
      .mul(safeLog(p))
      .add(other.mul(safeLog(p.neg().add(1))))
      .neg();
  },
);
export const sigmoidCrossEntropy: Loss = loss(
  "sigmoidCrossEntropy",
  "binaryCrossEntropy of sigmoid(score), without overflow.",
  (p, t) => p.softplus().sub(p.mul(t)),
);
export const focalLoss: Loss<[gamma?: number, alpha?: number]> = loss(
  "focalLoss",
  "sigmoidCrossEntropy that counts easy examples less: times (1 - probability of the truth) ** gamma; alpha weighs the positives.",
  (p, t, gamma = 2, alpha = 0.25) => {
    const other = t.neg().add(1);
    const probability = p.sigmoid();
    const missed = probability.mul(other).add(probability.neg().add(1).mul(t));
    const weight = t.mul(2 * alpha - 1).add(1 - alpha);
    return weight.mul(missed.pow(gamma)).mul(p.sigmoidCrossEntropy(t));
  },
);

export const klDivergence: Loss = loss(
  "klDivergence",
  "The sum of target * log(target / prediction) along the last axis, for probabilities.",
  (p, t) => t.mul(safeLog(t).sub(safeLog(p))).sum(-1),
);
export const cosineSimilarity: Loss<[axis?: number]> = loss(
  "cosineSimilarity",
  "The cosine of the angle between two vectors along an axis.",
  (p, t, axis = -1) => p.l2Normalize(axis).mul(t.l2Normalize(axis)).sum(axis),
);
export const cosineLoss: Loss<[axis?: number]> = loss(
  "cosineLoss",
  "1 - cosineSimilarity.",
  (p, t, axis = -1) => p.cosineSimilarity(t, axis).neg().add(1),
);
export const diceLoss: Loss<[axis?: Axis, smooth?: number]> = loss(
  "diceLoss",
  "1 - twice the overlap over the sum of both, for masks; over axes or all.",
  (p, t, axis, smooth = 1) =>
    p
      .mul(t)
      .sum(axis)
      .mul(2)
      .add(smooth)
      .div(p.sum(axis).add(t.sum(axis)).add(smooth))
      .neg()
      .add(1),
);
export const contrastiveLoss: Loss<[margin?: number]> = loss(
  "contrastiveLoss",
  "For a distance and whether the pair belongs together (1 or 0): its square, or the square of what it lacks of the margin.",
  (p, t, margin = 1) => {
    const lack = p.neg().add(margin).relu();
    return t.mul(p).mul(p).add(t.neg().add(1).mul(lack).mul(lack));
  },
);
export const tripletLoss: Operator<
  (anchor: Operand, positive: Operand, negative: Operand, margin?: number) => Expression
> = operator(
  compositionRow(
    "tripletLoss",
    family,
    "max(0, distance to the positive - distance to the negative + margin), by squared distances along the last axis.",
  ),
  (first: Operand, second: Operand, third: Operand, margin = 1) => {
    const [anchor, positive] = pair("tripletLoss", first, second);
    const [, negative] = pair("tripletLoss", anchor, third);
    const far = anchor.squaredError(negative).sum(-1);
    return anchor.squaredError(positive).sum(-1).sub(far).add(margin).relu();
  },
);

export interface ClassOptions {
  /** Shares this much of the truth equally among all classes; 0 unless told. */
  readonly smoothing?: number;
}
type ClassLoss<O> = Operator<(prediction: Operand, labels: Operand, options?: O) => Expression>;

export const softmaxCrossEntropy: ClassLoss<ClassOptions> = operator(
  compositionRow(
    "softmaxCrossEntropy",
    family,
    "Cross-entropy of softmax(logits) along the last axis with integer classes, or with probabilities of the same shape.",
  ),
  (first: Operand, second: Operand, { smoothing = 0 }: ClassOptions = {}) => {
    const [logits, targets] = withClasses("softmaxCrossEntropy", "logits", first, second);
    const truth = smoothing === 0 ? targets : smoothed(targets, smoothing);
    return truth.mul(logits.logSoftmax()).sum(-1).neg();
  },
);
export const crossEntropy: ClassLoss<ClassOptions> = operator(
  compositionRow(
    "crossEntropy",
    family,
    "Cross-entropy of probabilities along the last axis with integer classes, or with probabilities of the same shape.",
  ),
  (first: Operand, second: Operand, { smoothing = 0 }: ClassOptions = {}) => {
    const [probabilities, targets] = withClasses("crossEntropy", "probabilities", first, second);
    const truth = smoothing === 0 ? targets : smoothed(targets, smoothing);
    return truth.mul(safeLog(probabilities)).sum(-1).neg();
  },
);
export const negativeLogLikelihood: ClassLoss<Record<never, never>> = operator(
  compositionRow(
    "negativeLogLikelihood",
    family,
    "Minus the log-probability of each example's class: the cross-entropy of what logSoftmax gives.",
  ),
  (first: Operand, second: Operand) => {
    const [logs, targets] = withClasses("negativeLogLikelihood", "log-probabilities", first, second);
    return targets.mul(logs).sum(-1).neg();
  },
);
export const categoricalHinge: ClassLoss<Record<never, never>> = operator(
  compositionRow(
    "categoricalHinge",
    family,
    "max(0, 1 + the best score of a wrong class - the score of the right one) along the last axis.",
  ),
  (first: Operand, second: Operand) => {
    const [scores, targets] = withClasses("categoricalHinge", "scores", first, second);
    const right = targets.mul(scores).sum(-1);
    const wrong = targets
      .greater(0.5)
      .where(scores.dtype === "float16" ? -6e4 : -1e30, scores)
      .max(-1);
    return wrong.sub(right).add(1).relu();
  },
);

/** The prediction, and the labels as one probability a class. */
function withClasses(
  name: string,
  what: string,
  first: Operand,
  second: Operand,
): [prediction: Expression, targets: Expression] {
  const prediction = toFloat(name, first);
  const labels = toExpression(name, second);
  const classes = prediction.shape.at(-1);
  if (typeof classes !== "number")
    throw new GraphError(
      `${name}: the ${what} are ${printType(prediction.type)}; their last dimension must be a known number of classes`,
    );
  const targets = isFloat(labels.dtype)
    ? labels.cast(prediction.dtype)
    : labels.oneHot(classes, { dtype: prediction.dtype });
  if (!sameShape(targets.shape, prediction.shape))
    throw new GraphError(
      `${name}: ${what} ${printType(prediction.type)} do not fit labels ${printType(labels.type)}; ` +
        `give integer classes of shape [${prediction.shape.slice(0, -1).join(",")}] or probabilities of shape [${prediction.shape.join(",")}]`,
    );
  return [prediction, targets];
}

function smoothed(targets: Expression, smoothing: number): Expression {
  return targets.mul(1 - smoothing).add(smoothing / (targets.shape.at(-1) as number));
}

export {
  absoluteError as l1Loss,
  meanAbsoluteError as mae,
  meanSquaredError as mse,
  meanSquaredLogError as msle,
  rootMeanSquaredError as rmse,
};
