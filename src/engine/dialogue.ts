// What slots and an engine say to each other, whichever way it travels: as frames of the wire to a process, as messages to a worker.
import { DTYPES, dtypeFromOnnx, Tensor, type DType, type TensorData } from "../tensor/index.js";
import type { EngineFacts, EngineFigures } from "./slot.js";

/** Tensors as columns: for each its dtype (ONNX number) and its dimensions; and the elements. */
export interface Tensors {
  readonly types: readonly (readonly number[])[];
  readonly data: readonly Uint8Array[];
}

/** Programs go by numbers that the slots choose; an engine knows only those it was told of since it started. */
export type ToEngine =
  | { readonly t: "load"; readonly program: number; readonly model: Uint8Array }
  | { readonly t: "drop"; readonly program: number }
  | ({ readonly t: "run"; readonly program: number } & Tensors)
  | { readonly t: "measure" };

/** `run` and `measure` are answered, in their order. */
export type FromEngine =
  | { readonly t: "ready"; readonly facts: EngineFacts }
  /** The engine does not start. */
  | { readonly t: "unfit"; readonly message: string }
  | ({ readonly t: "ran"; readonly ms: number } & Tensors)
  | {
      readonly t: "failed";
      readonly code: "program_error" | "program_refused";
      readonly message: string;
      /** It will fail for every input. */
      readonly always: boolean;
    }
  | { readonly t: "measured"; readonly figures: EngineFigures };

export function packTensors(tensors: readonly Tensor[]): Tensors {
  return {
    types: tensors.map(({ dtype, shape }) => [DTYPES[dtype].onnx, ...shape]),
    data: tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  };
}

/** Views of the bytes where they lie aligned, copies where not. Throws a RangeError where they do not fit each other. */
export function unpackTensors({ types, data }: Tensors): Tensor[] {
  return types.map(([onnx, ...shape], i) => {
    const dtype = dtypeFromOnnx(onnx!);
    const bytes = data[i];
    if (!dtype || !bytes)
      throw new RangeError(`tensor ${i} has the dtype ${onnx} and ${bytes?.length} bytes`);
    return new Tensor(dtype, shape, elementsOf(dtype, bytes));
  });
}

function elementsOf(dtype: DType, bytes: Uint8Array): TensorData {
  const { array, bytes: width } = DTYPES[dtype];
  const own = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new array(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / width);
}
