// Which dtypes engines have kernels for, and what is done about the others: cast to a wider one, or refused where built.
import type { DType } from "../tensor/index.js";
import { GraphError } from "./error.js";
import type { TensorRow } from "./row.js";
import type { Type } from "./shape.js";

export const FLOATS = ["float32", "float64"] as const satisfies readonly DType[];
export const SINGLE = ["float32"] as const satisfies readonly DType[];
export const SIGNED = ["float32", "float64", "int32", "int64"] as const satisfies readonly DType[];
export const NUMBERS = ["float32", "float64", "int32", "int64", "uint8"] as const satisfies readonly DType[];
export const ALL = [
  "float32",
  "float64",
  "float16",
  "int32",
  "int64",
  "uint8",
  "bool",
] as const satisfies readonly DType[];

/** To what a dtype may be cast without losing a value, best first. */
const WIDER: Readonly<Record<DType, readonly DType[]>> = {
  bool: ["uint8", "int32", "int64", "float32"],
  uint8: ["int32", "int64", "float32"],
  float16: ["float32", "float64"],
  int32: ["int64", "float64"],
  int64: [],
  float32: ["float64"],
  float64: [],
};

/** Whether every value of `from` is one of `to`. */
export function widens(from: DType, to: DType): boolean {
  return from === to || WIDER[from].includes(to);
}

/** The dtype to which an operator's inputs are cast to run, or undefined where there is a kernel for them as they are. */
export function castFor(row: TensorRow, inputs: readonly { readonly type: Type }[]): DType | undefined {
  const dtype = inputs[row.kernelInputs?.[0] ?? 0]?.type.dtype;
  if (dtype === undefined || row.kernels.includes(dtype)) return undefined;
  const to = WIDER[dtype].find((wider) => row.kernels.includes(wider));
  if (to === undefined)
    throw new GraphError(
      `${row.name}: no engine computes it in ${dtype}; cast to ${row.kernels.join(" or ")} first, as in x.cast("${row.kernels[0]}")`,
      "unsupported",
    );
  return to;
}
