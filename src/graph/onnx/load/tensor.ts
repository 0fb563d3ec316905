// TensorProto as Tensor: raw or typed data, checked against what its dimensions say. External data, strings and foreign dtypes are refused.
import {
  TensorProto_DataLocation as Location,
  TensorProto_DataType as DataType,
  type TensorProto,
} from "onnx-buf";
import {
  DTYPES,
  dtypeFromOnnx,
  fromNumbers,
  Tensor,
  type DType,
  type TensorData,
} from "../../../tensor/index.js";
import { GraphError } from "../../error.js";

/** The dtype of a TensorProto.DataType number. Throws where Flockwork does not carry it. */
export function dtypeOf(code: number, what: string): DType {
  const dtype = dtypeFromOnnx(code);
  if (dtype === undefined)
    throw new GraphError(
      `${what} is of ${DataType[code] ?? `element type ${code}`}, which Flockwork does not carry; it knows ${Object.keys(DTYPES).join(", ")}`,
      "unsupported",
    );
  return dtype;
}

export function readTensor(proto: TensorProto, what: string): Tensor {
  if (proto.dataLocation === Location.EXTERNAL || proto.externalData.length > 0)
    throw new GraphError(
      `${what} keeps its data in another file; a model travels as one file: save it again without external data`,
      "bad_model",
    );
  if (proto.segment)
    throw new GraphError(`${what} is a segment of a tensor; only whole tensors are read`, "bad_model");
  const dtype = dtypeOf(proto.dataType, what);
  const shape = proto.dims.map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || !Number.isSafeInteger(size))
    throw new GraphError(
      `${what} has the shape [${shape.join(",")}]; dimensions are whole numbers from 0`,
      "bad_model",
    );
  if (proto.stringData.length > 0)
    throw new GraphError(`${what} says ${dtype} and holds strings`, "bad_model");
  const typed = typedData(proto, dtype);
  const given = proto.rawData.length > 0 ? proto.rawData.length / DTYPES[dtype].bytes : typed.length;
  if (given !== size || (proto.rawData.length > 0 && hasTypedData(proto)))
    throw new GraphError(
      `${what} is ${dtype} [${shape.join(",")}], which has ${size} elements, and holds ${given}${hasTypedData(proto) && proto.rawData.length > 0 ? " in raw form and others beside them" : ""}`,
      "bad_model",
    );
  return new Tensor(
    dtype,
    shape,
    proto.rawData.length > 0 ? fromRaw(proto.rawData, dtype) : fromTyped(typed, dtype),
  );
}

/** The field in which data of a dtype stands when it is not raw. */
function typedData(proto: TensorProto, dtype: DType): readonly (number | bigint)[] {
  switch (dtype) {
    case "float32":
      return proto.floatData;
    case "float64":
      return proto.doubleData;
    case "int64":
      return proto.int64Data;
    default:
      return proto.int32Data;
  }
}

function hasTypedData({ floatData, doubleData, int32Data, int64Data, uint64Data }: TensorProto): boolean {
  return [floatData, doubleData, int32Data, int64Data, uint64Data].some((data) => data.length > 0);
}

function fromRaw(raw: Uint8Array, dtype: DType): TensorData {
  // A copy, since the bytes may lie unaligned in the file, and must not keep all of it alive.
  const data = new DTYPES[dtype].array(raw.slice().buffer);
  if (dtype === "bool") return (data as Uint8Array).map((v) => (v === 0 ? 0 : 1));
  return data;
}

function fromTyped(values: readonly (number | bigint)[], dtype: DType): TensorData {
  // float16 stands as its bits.
  return dtype === "float16" ? Uint16Array.from(values as readonly number[]) : fromNumbers(dtype, values);
}
