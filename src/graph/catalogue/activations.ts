// Activations that are written with others.
import { GraphError } from "../error.js";
import type { Expression } from "../expression.js";
import { toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, type Operator } from "../row.js";
import { axisOf, printType } from "../shape.js";
import type { Unary } from "./pattern.js";

const family = "nn" as const;

/** An activation written with others. */
function composed(name: string, doc: string, f: (x: Expression) => Expression): Unary {
  return operator(compositionRow(name, family, doc), (x: Operand) => f(toFloat(name, x)));
}

// ONNX Runtime fuses x * sigmoid(x) into an operator that has no float64 kernel, and then refuses its own model.
export const silu: Unary = composed("silu", "x * sigmoid(x), also called swish.", (x) =>
  x.dtype === "float64" ? x.div(x.neg().exp().add(1)) : x.mul(x.sigmoid()),
);
export const relu6: Unary = composed("relu6", "x held between 0 and 6.", (x) => x.relu().minimum(6));
export const logSigmoid: Unary = composed("logSigmoid", "log(sigmoid(x)), without overflow.", (x) =>
  x.neg().softplus().neg(),
);
export const tanhShrink: Unary = composed("tanhShrink", "x - tanh(x).", (x) => x.sub(x.tanh()));
export const hardTanh: Operator<(x: Operand, low?: number, high?: number) => Expression> = operator(
  compositionRow("hardTanh", family, "x held between two limits, -1 and 1 unless told."),
  (x: Operand, low = -1, high = 1) => toFloat("hardTanh", x).maximum(low).minimum(high),
);
export const hardShrink: Operator<(x: Operand, lambda?: number) => Expression> = operator(
  compositionRow("hardShrink", family, "x where |x| is above lambda (0.5 unless told), 0 elsewhere."),
  (operand: Operand, lambda = 0.5) => {
    const x = toFloat("hardShrink", operand);
    return x.abs().greater(lambda).where(x, 0);
  },
);
export const softShrink: Operator<(x: Operand, lambda?: number) => Expression> = operator(
  compositionRow(
    "softShrink",
    family,
    "x moved towards 0 by lambda (0.5 unless told), and no further than 0.",
  ),
  (operand: Operand, lambda = 0.5) => {
    const x = toFloat("softShrink", operand);
    return x.sub(x.maximum(-lambda).minimum(lambda));
  },
);
export const glu: Operator<(x: Operand, axis?: number) => Expression> = operator(
  compositionRow(
    "glu",
    family,
    "The gated linear unit: a * sigmoid(b) for the halves a and b along an axis.",
  ),
  (operand: Operand, axis = -1) => {
    const x = toFloat("glu", operand);
    const at = axisOf("glu", axis, x.rank);
    const length = x.shape[at]!;
    if (typeof length !== "number" || length % 2 !== 0)
      throw new GraphError(
        `glu: axis ${at} of ${printType(x.type)} has length ${length}; it must be a known even number`,
      );
    const half = length / 2;
    return x.slice([0], [half], [at]).mul(x.slice([half], [length], [at]).sigmoid());
  },
);
