// Rows that choose elements by position: take, slices, one-hot, scatter.
import type { DType } from "../../tensor/index.js";
import { arange } from "../creation.js";
import type { Expression } from "../expression.js";
import { expectDtype, toExpression, type Operand } from "../operand.js";
import { compositionRow, operator, type Operator } from "../row.js";

const family = "index" as const;

export const oneHot: Operator<(x: Operand, depth: number, options?: { dtype?: DType }) => Expression> =
  operator(
    compositionRow(
      "oneHot",
      family,
      "1 at the class of each element, 0 elsewhere, along a new last axis of length `depth`.",
      false,
    ),
    (operand: Operand, depth: number, { dtype = "float32" }: { dtype?: DType } = {}) => {
      const x = toExpression("oneHot", operand);
      expectDtype("oneHot", "the operand", x, ["int32", "int64", "uint8"]);
      return x.expandDims(-1).cast("int64").equal(arange(depth)).cast(dtype);
    },
  );
