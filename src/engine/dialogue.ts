// What a slot and its engine say to each other, whichever way it travels: as frames of the wire to a process, as messages to a worker.
import { DTYPES, dtypeFromOnnx, Tensor, type DType, type TensorData } from "../tensor/index.js";
import type { EngineFacts } from "./slot.js";

/** Tensors as columns: for each its dtype (ONNX number) and its dimensions; and the elements. */
export interface Tensors {
  readonly types: readonly (readonly number[])[];
  readonly data: readonly Uint8Array[];
}

/** Programs go by numbers that the slot chooses; an engine knows only those it was told of since it started. */
export type ToEngine =
  | { readonly t: "load"; readonly program: number; readonly model: Uint8Array }
  | { readonly t: "drop"; readonly program: number }
  | ({ readonly t: "run"; readonly program: number } & Tensors);

/** Each `run` is answered by `ran`, `failed` or `full`, in their order. */
export type FromEngine =
  | { readonly t: "ready"; readonly facts: EngineFacts }
  /** The engine does not start, or cannot go on. */
  | { readonly t: "unfit"; readonly message: string }
  | ({ readonly t: "ran"; readonly ms: number } & Tensors)
  | {
      readonly t: "failed";
      readonly code: "program_error" | "program_refused" | "out_of_memory";
      readonly message: string;
    }
  /** What earlier programs left in memory is too much for this one: in a new engine it would fit. */
  | { readonly t: "full" }
  /** The device it computes with is gone. What it was sent goes again, to a new engine. */
  | { readonly t: "lost"; readonly message: string };

/** A frame's lengths are 32 bits wide. */
const MOST_BYTES = 2 ** 32 - 2 ** 20;

/** Views of the tensors' memory. Throws a RangeError where they are too many bytes for one message. */
export function packTensors(tensors: readonly Tensor[]): Tensors {
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  if (bytes > MOST_BYTES)
    throw new RangeError(`${bytes} bytes of tensors are over ${MOST_BYTES}, the most of one run; split them`);
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
      throw new RangeError(`tensor ${i} is of type ${onnx} and has ${bytes?.length ?? "no"} bytes`);
    return new Tensor(dtype, shape, elementsOf(dtype, bytes));
  });
}

function elementsOf(dtype: DType, bytes: Uint8Array): TensorData {
  const { array, bytes: width } = DTYPES[dtype];
  const own = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new array(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / width);
}
