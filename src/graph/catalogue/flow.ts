// What gradients may pass: stopGradient. Programs are made without it.
import { apply, type Expression } from "../expression.js";
import { toExpression, type Operand } from "../operand.js";
import { markRow, operator, type Operator } from "../row.js";

const stopGradientRow = markRow({
  name: "stopGradient",
  doc: "The same values, taken as constant by gradients.",
  gradient: "zero",
});
export const stopGradient: Operator<(x: Operand) => Expression> = operator(stopGradientRow, (x: Operand) =>
  apply(stopGradientRow, [toExpression("stopGradient", x)]),
);
