// ONNX's protobuf messages as a table, an eighth of the size of their descriptors; a test holds it against onnx-buf, whose types they are. codec.ts reads and writes them.
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  TensorProto,
  TensorShapeProto,
  TensorShapeProto_Dimension,
  TypeProto,
  TypeProto_Tensor,
  ValueInfoProto,
} from "onnx-buf";

/** Number, name and kind of each field. A name with a point is a case of a choice; `*` repeats, `+` repeats packed. */
const TABLE = {
  ModelProto:
    "1 irVersion int64|2 producerName string|3 producerVersion string|4 domain string|5 modelVersion int64|6 docString string|7 graph GraphProto|8 opsetImport *OperatorSetIdProto|14 metadataProps *StringStringEntryProto|20 trainingInfo *TrainingInfoProto|25 functions *FunctionProto|26 configuration *DeviceConfigurationProto",
  OperatorSetIdProto: "1 domain string|2 version int64",
  GraphProto:
    "1 node *NodeProto|2 name string|5 initializer *TensorProto|10 docString string|11 input *ValueInfoProto|12 output *ValueInfoProto|13 valueInfo *ValueInfoProto|14 quantizationAnnotation *TensorAnnotation|15 sparseInitializer *SparseTensorProto|16 metadataProps *StringStringEntryProto",
  NodeProto:
    "1 input *string|2 output *string|3 name string|4 opType string|5 attribute *AttributeProto|6 docString string|7 domain string|8 overload string|9 metadataProps *StringStringEntryProto|10 deviceConfigurations *NodeDeviceConfigurationProto",
  AttributeProto:
    "1 name string|2 f float|3 i int64|4 s bytes|5 t TensorProto|6 g GraphProto|7 floats *float|8 ints *int64|9 strings *bytes|10 tensors *TensorProto|11 graphs *GraphProto|13 docString string|14 tp TypeProto|15 typeProtos *TypeProto|20 type int32|21 refAttrName string|22 sparseTensor SparseTensorProto|23 sparseTensors *SparseTensorProto",
  TensorProto:
    "1 dims *int64|2 dataType int32|3 segment TensorProto.Segment|4 floatData +float|5 int32Data +int32|6 stringData *bytes|7 int64Data +int64|8 name string|9 rawData bytes|10 doubleData +double|11 uint64Data +uint64|12 docString string|13 externalData *StringStringEntryProto|14 dataLocation int32|16 metadataProps *StringStringEntryProto",
  "TensorProto.Segment": "1 begin int64|2 end int64",
  StringStringEntryProto: "1 key string|2 value string",
  SparseTensorProto: "1 values TensorProto|2 indices TensorProto|3 dims *int64",
  TypeProto:
    "1 value.tensorType TypeProto.Tensor|4 value.sequenceType TypeProto.Sequence|5 value.mapType TypeProto.Map|6 denotation string|8 value.sparseTensorType TypeProto.SparseTensor|9 value.optionalType TypeProto.Optional",
  "TypeProto.Tensor": "1 elemType int32|2 shape TensorShapeProto",
  TensorShapeProto: "1 dim *TensorShapeProto.Dimension",
  "TensorShapeProto.Dimension": "1 value.dimValue int64|2 value.dimParam string|3 denotation string",
  "TypeProto.Sequence": "1 elemType TypeProto",
  "TypeProto.Map": "1 keyType int32|2 valueType TypeProto",
  "TypeProto.Optional": "1 elemType TypeProto",
  "TypeProto.SparseTensor": "1 elemType int32|2 shape TensorShapeProto",
  NodeDeviceConfigurationProto:
    "1 configurationId string|2 shardingSpec *ShardingSpecProto|3 pipelineStage int32",
  ShardingSpecProto:
    "1 tensorName string|2 device *int64|3 indexToDeviceGroupMap *IntIntListEntryProto|4 shardedDim *ShardedDimProto",
  IntIntListEntryProto: "1 key int64|2 value *int64",
  ShardedDimProto: "1 axis int64|2 simpleSharding *SimpleShardedDimProto",
  SimpleShardedDimProto: "1 dim.dimValue int64|2 dim.dimParam string|3 numShards int64",
  ValueInfoProto: "1 name string|2 type TypeProto|3 docString string|4 metadataProps *StringStringEntryProto",
  TensorAnnotation: "1 tensorName string|2 quantParameterTensorNames *StringStringEntryProto",
  TrainingInfoProto:
    "1 initialization GraphProto|2 algorithm GraphProto|3 initializationBinding *StringStringEntryProto|4 updateBinding *StringStringEntryProto",
  FunctionProto:
    "1 name string|4 input *string|5 output *string|6 attribute *string|7 node *NodeProto|8 docString string|9 opsetImport *OperatorSetIdProto|10 domain string|11 attributeProto *AttributeProto|12 valueInfo *ValueInfoProto|13 overload string|14 metadataProps *StringStringEntryProto",
  DeviceConfigurationProto: "1 name string|2 numDevices int32|3 device *string",
} as const;

export type MessageName = keyof typeof TABLE;
export type Scalar = "string" | "bytes" | "int32" | "int64" | "uint64" | "float" | "double";

export interface Field {
  readonly number: number;
  readonly name: string;
  /** The choice that it is a case of. */
  readonly choice: string | undefined;
  readonly scalar: Scalar | undefined;
  readonly message: MessageName | undefined;
  readonly repeated: boolean;
  readonly packed: boolean;
}

/** One kind of message; `T` is its type. */
export interface Schema<T> {
  readonly name: MessageName;
  /** By number, ascending. */
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  /** What a field is that is not there; lists are made anew for each message. */
  readonly absent: object;
  /** Never there: it only carries the type. */
  readonly type?: T;
}

const ZERO: Readonly<Record<Scalar, unknown>> = {
  string: "",
  bytes: new Uint8Array(),
  int32: 0,
  int64: 0n,
  uint64: 0n,
  float: 0,
  double: 0,
};

const known = new Map<MessageName, Schema<unknown>>();

export function schemaOf<T = unknown>(name: MessageName): Schema<T> {
  const made = known.get(name) ?? read(name);
  known.set(name, made);
  return made as Schema<T>;
}

function read(name: MessageName): Schema<unknown> {
  const fields = TABLE[name].split("|").map((text): Field => {
    const [number, path, typed] = text.split(" ") as [string, string, string];
    const [choice, own] = path.includes(".") ? (path.split(".") as [string, string]) : [undefined, path];
    const kind = typed.replace(/^[*+]/, "");
    const isMessage = kind in TABLE;
    return {
      number: Number(number),
      name: own,
      choice,
      scalar: isMessage ? undefined : (kind as Scalar),
      message: isMessage ? (kind as MessageName) : undefined,
      repeated: kind !== typed,
      packed: typed.startsWith("+"),
    };
  });
  const absent: Record<string, unknown> = { $typeName: `onnx.${name}` };
  for (const { name: own, choice, scalar, repeated } of fields)
    if (choice !== undefined) absent[choice] = { case: undefined };
    else if (scalar && !repeated) absent[own] = ZERO[scalar];
  return { name, fields, byNumber: new Map(fields.map((field) => [field.number, field])), absent };
}

export const AttributeSchema = schemaOf<AttributeProto>("AttributeProto");
export const GraphSchema = schemaOf<GraphProto>("GraphProto");
export const ModelSchema = schemaOf<ModelProto>("ModelProto");
export const NodeSchema = schemaOf<NodeProto>("NodeProto");
export const OperatorSetIdSchema = schemaOf<OperatorSetIdProto>("OperatorSetIdProto");
export const TensorSchema = schemaOf<TensorProto>("TensorProto");
export const ShapeSchema = schemaOf<TensorShapeProto>("TensorShapeProto");
export const DimensionSchema = schemaOf<TensorShapeProto_Dimension>("TensorShapeProto.Dimension");
export const TypeSchema = schemaOf<TypeProto>("TypeProto");
export const TensorTypeSchema = schemaOf<TypeProto_Tensor>("TypeProto.Tensor");
export const ValueInfoSchema = schemaOf<ValueInfoProto>("ValueInfoProto");

/** AttributeProto.AttributeType, by number. */
const ATTRIBUTE_TYPES = [
  "UNDEFINED",
  "FLOAT",
  "INT",
  "STRING",
  "TENSOR",
  "GRAPH",
  "FLOATS",
  "INTS",
  "STRINGS",
  "TENSORS",
  "GRAPHS",
  "SPARSE_TENSOR",
  "SPARSE_TENSORS",
  "TYPE_PROTO",
  "TYPE_PROTOS",
] as const;
/** TensorProto.DataType, by number. */
const DATA_TYPES = [
  "UNDEFINED",
  "FLOAT",
  "UINT8",
  "INT8",
  "UINT16",
  "INT16",
  "INT32",
  "INT64",
  "STRING",
  "BOOL",
  "FLOAT16",
  "DOUBLE",
  "UINT32",
  "UINT64",
  "COMPLEX64",
  "COMPLEX128",
  "BFLOAT16",
  "FLOAT8E4M3FN",
  "FLOAT8E4M3FNUZ",
  "FLOAT8E5M2",
  "FLOAT8E5M2FNUZ",
  "UINT4",
  "INT4",
  "FLOAT4E2M1",
  "FLOAT8E8M0",
  "UINT2",
  "INT2",
] as const;

/** The name of an attribute's kind, for those that are not read. */
export function attributeTypeName(type: number): string {
  return ATTRIBUTE_TYPES[type] ?? String(type);
}

export function dataTypeName(type: number): string {
  return DATA_TYPES[type] ?? `element type ${type}`;
}

/** The kinds of attributes that are read and written. */
export const AttributeType = {
  FLOAT: 1,
  INT: 2,
  STRING: 3,
  TENSOR: 4,
  GRAPH: 5,
  FLOATS: 6,
  INTS: 7,
} as const;
/** TensorProto.DataLocation of data that lies in another file. */
export const EXTERNAL = 1;
