// The element types Flockwork carries, one row each. What an operator may do with them is the graph floor's business.

/** One row per dtype: its typed array, bytes per element, and its number on the wire (also ONNX's TensorProto.DataType). */
export const DTYPES = {
  float32: { array: Float32Array, bytes: 4, onnx: 1, float: true },
  uint8: { array: Uint8Array, bytes: 1, onnx: 2, float: false },
  int32: { array: Int32Array, bytes: 4, onnx: 6, float: false },
  int64: { array: BigInt64Array, bytes: 8, onnx: 7, float: false },
  bool: { array: Uint8Array, bytes: 1, onnx: 9, float: false },
  /** IEEE binary16, as raw bits in a Uint16Array. */
  float16: { array: Uint16Array, bytes: 2, onnx: 10, float: true },
  float64: { array: Float64Array, bytes: 8, onnx: 11, float: true },
} as const;

export type DType = keyof typeof DTYPES;

/** The typed array that holds elements of dtype `D`. */
export type TypedArrayOf<D extends DType> = InstanceType<(typeof DTYPES)[D]["array"]>;
export type TensorData = TypedArrayOf<DType>;

const byOnnx = new Map<number, DType>((Object.keys(DTYPES) as DType[]).map((d) => [DTYPES[d].onnx, d]));

/** The dtype of an ONNX TensorProto.DataType number, or undefined if Flockwork does not carry it. */
export function dtypeFromOnnx(code: number): DType | undefined {
  return byOnnx.get(code);
}
