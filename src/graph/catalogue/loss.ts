// Losses, each a composition; they give one value an example, so that the caller chooses mean or sum.
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { toExpression, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, type Operator } from "../row.js";
import { isFloat, printType } from "../shape.js";

export const softmaxCrossEntropy: Operator<(logits: Operand, labels: Operand) => Expression> = operator(
  compositionRow(
    "softmaxCrossEntropy",
    "loss",
    "Cross-entropy of softmax(logits) along the last axis with integer classes, or with probabilities of the same shape.",
  ),
  (first: Operand, second: Operand) => {
    const logits = toFloat("softmaxCrossEntropy", first);
    const labels = toExpression("softmaxCrossEntropy", second);
    const classes = logits.shape.at(-1);
    if (typeof classes !== "number")
      throw new GraphError(
        `softmaxCrossEntropy: the logits are ${printType(logits.type)}; their last dimension must be a known number of classes`,
      );
    const targets = isFloat(labels.dtype) ? labels : labels.oneHot(classes, { dtype: logits.dtype });
    if (targets.rank !== logits.rank)
      throw new GraphError(
        `softmaxCrossEntropy: logits ${printType(logits.type)} do not fit labels ${printType(labels.type)}; ` +
          `give integer classes of shape [${logits.shape.slice(0, -1).join(",")}] or probabilities of shape [${logits.shape.join(",")}]`,
      );
    return targets.mul(logits.logSoftmax()).sum(-1).neg();
  },
);
