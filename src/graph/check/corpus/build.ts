// Models written by hand for tests, in few words: anything ONNX can say, right or wrong.
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProtoSchema,
  type TensorProto,
  type ValueInfoProtoSchema,
} from "onnx-buf";
import { DTYPES, fromNumbers, type DType } from "../../../tensor/index.js";

type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type PortInit = MessageInitShape<typeof ValueInfoProtoSchema>;
type Plain = number | string | readonly number[] | TensorProto | GraphProto;

const text = new TextEncoder();

/** `port("x", "float32", [2, "batch", null])`: null is a dimension of which nothing is said. */
export function port(
  name: string,
  dtype: DType | number,
  dims?: readonly (number | string | null)[],
): PortInit {
  const dim = dims?.map((d) =>
    d === null
      ? {}
      : {
          value:
            typeof d === "number"
              ? { case: "dimValue" as const, value: BigInt(d) }
              : { case: "dimParam" as const, value: d },
        },
  );
  const elemType = typeof dtype === "number" ? dtype : DTYPES[dtype].onnx;
  return {
    name,
    type: { value: { case: "tensorType", value: { elemType, ...(dim && { shape: { dim } }) } } },
  };
}

/** `node("Add", ["a", "b"], ["y"], { axis: 1 })`: whole numbers are INT or INTS, others FLOAT or FLOATS. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, Plain>> = {},
  rest: NodeInit = {},
): NodeInit {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  return { opType, input: [...input], output: [...output], attribute, ...rest };
}

function attributeOf(name: string, value: Plain): AttributeProto {
  if (typeof value === "string")
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: text.encode(value) });
  if (typeof value === "number")
    return Number.isInteger(value)
      ? create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
      : create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value });
  if ("$typeName" in value)
    return value.$typeName === "onnx.TensorProto"
      ? create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: value })
      : create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: value });
  return value.every(Number.isInteger)
    ? create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) })
    : create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...value] });
}

/** A tensor with its elements in raw form; `over` changes what it says of itself. */
export function weights(
  name: string,
  dtype: DType,
  dims: readonly number[],
  values: readonly number[],
  over: MessageInitShape<typeof TensorProtoSchema> = {},
): TensorProto {
  const { buffer } = fromNumbers(dtype, values);
  return create(TensorProtoSchema, {
    name,
    dataType: DTYPES[dtype].onnx,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(buffer as ArrayBuffer),
    ...over,
  });
}

export interface GraphInit {
  readonly inputs?: readonly PortInit[];
  readonly outputs?: readonly PortInit[];
  readonly nodes?: readonly NodeInit[];
  readonly initializers?: readonly TensorProto[];
  readonly rest?: MessageInitShape<typeof GraphProtoSchema>;
}

export function graph({
  inputs = [],
  outputs = [],
  nodes = [],
  initializers = [],
  rest = {},
}: GraphInit): GraphProto {
  return create(GraphProtoSchema, {
    name: "g",
    node: nodes.map((each) => ({ name: "", ...each })),
    input: [...inputs],
    output: [...outputs],
    initializer: [...initializers],
    ...rest,
  });
}

export function message(init: GraphInit, over: MessageInitShape<typeof ModelProtoSchema> = {}): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [{ domain: "", version: 21n }],
    graph: graph(init),
    ...over,
  });
}

export function model(init: GraphInit, over: MessageInitShape<typeof ModelProtoSchema> = {}): Uint8Array {
  return toBinary(ModelProtoSchema, message(init, over));
}

/** One node on `x` of float32 [2,3] and on the weights given, its first output being `y`. */
export function single(
  opType: string,
  attributes: Readonly<Record<string, Plain>> = {},
  initializers: readonly TensorProto[] = [],
  x: PortInit = port("x", "float32", [2, 3]),
): Uint8Array {
  return model({
    inputs: [x],
    outputs: [{ name: "y" }],
    nodes: [node(opType, ["x", ...initializers.map(({ name }) => name)], ["y"], attributes)],
    initializers,
  });
}
