// The floor: the same SGD steps written node by node in ONNX, as an engineer would who knows the models and ONNX Runtime. Nothing of src/graph.
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "onnx-buf";
import { RATE, type Model } from "./models.js";

const [FLOAT, INT64] = [1, 7];

type Attribute = number | string | readonly number[];
type Attributes = Readonly<Record<string, Attribute>>;

/** ONNX nodes, written one after the other. */
class Sheet {
  private readonly nodes: NodeProto[] = [];
  private readonly constants: TensorProto[] = [];

  /** One node; its outputs, of which most nodes have one. */
  op(opType: string, input: readonly string[], attributes: Attributes = {}, outputs = 1): string[] {
    const output = Array.from({ length: outputs }, (_, i) => `v${this.nodes.length}_${i}`);
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.nodes.push(create(NodeProtoSchema, { opType, input: [...input], output, attribute }));
    return output;
  }

  one(opType: string, input: readonly string[], attributes: Attributes = {}): string {
    return this.op(opType, input, attributes)[0]!;
  }

  called(name: string, value: string): void {
    this.nodes.push(create(NodeProtoSchema, { opType: "Identity", input: [value], output: [name] }));
  }

  floats(shape: readonly number[], ...values: number[]): string {
    return this.constant(FLOAT, shape, new Uint8Array(Float32Array.from(values).buffer));
  }

  ints(...values: number[]): string {
    return this.constant(INT64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  /** The number of classes, as OneHot wants it. */
  depth(value: number): string {
    return this.constant(INT64, [], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  }

  model({ input, batch, shapes }: Model): Uint8Array {
    const next = Object.entries(shapes).map(([name, shape]) => info(`next_${name}`, FLOAT, shape));
    const graph = create(GraphProtoSchema, {
      name: "hand",
      node: this.nodes,
      initializer: this.constants,
      input: [
        info("x", FLOAT, [batch, ...input]),
        info("y", INT64, [batch]),
        ...Object.entries(shapes).map(([name, shape]) => info(name, FLOAT, shape)),
      ],
      output: [info("loss", FLOAT, []), ...next],
    });
    return toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion: 10n,
        opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: 21n })],
        graph,
      }),
    );
  }

  private constant(dataType: number, shape: readonly number[], rawData: Uint8Array<ArrayBuffer>): string {
    const name = `c${this.constants.length}`;
    this.constants.push(create(TensorProtoSchema, { name, dataType, dims: shape.map(BigInt), rawData }));
    return name;
  }
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === "string")
    return create(AttributeProtoSchema, {
      name,
      type: AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  if (typeof value === "object")
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
  return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
}

function info(name: string, elemType: number, shape: readonly number[]): ValueInfoProto {
  const dim = shape.map((d) =>
    create(TensorShapeProto_DimensionSchema, { value: { case: "dimValue", value: BigInt(d) } }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } }),
  });
}

/** Softmax cross-entropy over the batch: writes the loss, gives what reaches the logits. */
function lossOf(s: Sheet, { batch, classes }: Model, logits: string): string {
  const logs = s.one("LogSoftmax", [logits], { axis: 1 });
  const truth = s.one("OneHot", ["y", s.depth(classes), s.floats([2], 0, 1)]);
  const total = s.one("ReduceSum", [s.one("Mul", [truth, logs])], { keepdims: 0 });
  s.called("loss", s.one("Mul", [total, s.floats([], -1 / batch)]));
  return s.one("Mul", [s.one("Sub", [s.one("Exp", [logs]), truth]), s.floats([], 1 / batch)]);
}

function update(s: Sheet, name: string, gradient: string): void {
  s.called(`next_${name}`, s.one("Sub", [name, s.one("Mul", [gradient, s.floats([], RATE)])]));
}

/** What passes a relu: where its result is above zero. */
function throughRelu(s: Sheet, result: string, gradient: string): string {
  return s.one("Where", [s.one("Greater", [result, s.floats([], 0)]), gradient, s.floats([], 0)]);
}

function denseBack(s: Sheet, x: string, w: string, b: string, g: string): void {
  update(s, w, s.one("Gemm", [x, g], { transA: 1 }));
  update(s, b, s.one("ReduceSum", [g, s.ints(0)], { keepdims: 0 }));
}

export function mlpByHand(model: Model): Uint8Array {
  const s = new Sheet();
  const h1 = s.one("Relu", [s.one("Gemm", ["x", "w1", "b1"])]);
  const h2 = s.one("Relu", [s.one("Gemm", [h1, "w2", "b2"])]);
  const g3 = lossOf(s, model, s.one("Gemm", [h2, "w3", "b3"]));
  const g2 = throughRelu(s, h2, s.one("Gemm", [g3, "w3"], { transB: 1 }));
  const g1 = throughRelu(s, h1, s.one("Gemm", [g2, "w2"], { transB: 1 }));
  denseBack(s, h2, "w3", "b3", g3);
  denseBack(s, h1, "w2", "b2", g2);
  denseBack(s, "x", "w1", "b1", g1);
  return s.model(model);
}

const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
const pool = { kernel_shape: [2, 2], strides: [2, 2] };

/** As everyone first writes a network's gradients, or as whoever has measured ONNX Runtime's kernels does. */
export type Hand = "first" | "fast";

/** Batch and channels exchanged, and a convolution: as everyone first writes it. */
function bySliding(s: Sheet, x: string, g: string, window: number): string {
  const swapped = [1, 0, 2, 3];
  const wide = s.one("Transpose", [x], { perm: swapped });
  const slid = s.one("Transpose", [g], { perm: swapped });
  const product = s.one("Conv", [wide, slid], { kernel_shape: [window, window], pads: [1, 1, 1, 1] });
  return s.one("Transpose", [product], { perm: swapped });
}

/** Windows laid out in memory by a convolution with one-hot weights, then a matrix product for each example: what is faster at these sizes. */
function byLayout(s: Sheet, x: string, g: string, layer: Layer, batch: number): string {
  const { channels, out, window } = layer;
  const hot = s.floats([9, 1, 3, 3], ...Array.from({ length: 81 }, (_, i) => Number(i % 10 === 0)));
  const planes = s.one("Reshape", [x, s.ints(batch * channels, 1, window, window)]);
  const columns = s.one("Conv", [planes, hot], same);
  const rows = s.one("Reshape", [columns, s.ints(batch, channels * 9, window * window)]);
  const flat = s.one("Reshape", [g, s.ints(batch, out, window * window)]);
  const products = s.one("MatMul", [flat, s.one("Transpose", [rows], { perm: [0, 2, 1] })]);
  const sum = s.one("ReduceSum", [products, s.ints(0)], { keepdims: 0 });
  return s.one("Reshape", [sum, s.ints(out, channels, 3, 3)]);
}

interface Layer {
  readonly channels: number;
  readonly out: number;
  /** The length of the input's sides. */
  readonly window: number;
}

export function cnnByHand(model: Model, hand: Hand): Uint8Array {
  const s = new Sheet();
  const { batch } = model;
  const h1 = s.one("Relu", [s.one("Conv", ["x", "w1", "b1"], same)]);
  const [p1, back1] = pooled(s, h1, hand);
  const h2 = s.one("Relu", [s.one("Conv", [p1, "w2", "b2"], same)]);
  const [p2, back2] = pooled(s, h2, hand);
  const flat = s.one("Reshape", [p2, s.ints(batch, 1568)]);
  const g3 = lossOf(s, model, s.one("Gemm", [flat, "w3", "b3"]));
  denseBack(s, flat, "w3", "b3", g3);
  const convBack = (x: string, layer: Layer, w: string, b: string, g: string): void => {
    update(s, w, hand === "first" ? bySliding(s, x, g, layer.window) : byLayout(s, x, g, layer, batch));
    update(s, b, s.one("ReduceSum", [g, s.ints(0, 2, 3)], { keepdims: 0 }));
  };
  // What a pooled relu gives is above zero where its input was.
  const gp2 = s.one("Reshape", [s.one("Gemm", [g3, "w3"], { transB: 1 }), s.ints(batch, 32, 7, 7)]);
  const g2 = back2(throughRelu(s, p2, gp2));
  convBack(p1, { channels: 16, out: 32, window: 14 }, "w2", "b2", g2);
  const g1 = back1(throughRelu(s, p1, s.one("ConvTranspose", [g2, "w2"], same)));
  convBack("x", { channels: 1, out: 16, window: 28 }, "w1", "b1", g1);
  return s.model(model);
}

/** The largest of each window, and its gradient's way back: by indices, or by comparing with what was pooled, enlarged again. */
function pooled(s: Sheet, x: string, hand: Hand): readonly [string, (g: string) => string] {
  if (hand === "first") {
    const [y, at] = s.op("MaxPool", [x], pool, 2) as [string, string];
    return [y, (g) => s.one("MaxUnpool", [g, at], pool)];
  }
  const y = s.one("MaxPool", [x], pool);
  const enlarge = (small: string): string =>
    s.one("Resize", [small, "", s.floats([4], 1, 1, 2, 2)], {
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    });
  return [y, (g) => s.one("Where", [s.one("Equal", [x, enlarge(y)]), enlarge(g), s.floats([], 0)])];
}
