// A graph as the bytes of an ONNX model. Deterministic: the same graph and names give the same bytes.
import type { ValueInfoProto } from "onnx-buf";
import { DTYPES } from "../../tensor/index.js";
import type { Dim } from "../dim.js";
import type { Expression, Node } from "../expression.js";
import type { Type } from "../shape.js";
import { dimensionRow, inputRow } from "../source.js";
import { create, encode } from "./codec.js";
import {
  DimensionSchema,
  GraphSchema,
  ModelSchema,
  OperatorSetIdSchema,
  ShapeSchema,
  TensorTypeSchema,
  TypeSchema,
  ValueInfoSchema,
} from "./messages.js";
import { HOST_DOMAIN, Lowering, tensorProto } from "./lower.js";
import type { Tensor } from "../../tensor/index.js";

/** The ONNX operator set that programs are written in, and the version of the file format. */
export const OPSET = 21;
export const IR_VERSION = 10;

export interface ModelSource {
  /** In an order in which they can run. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly { readonly node: Node; readonly name: string; readonly initial?: Tensor }[];
  readonly outputs: readonly { readonly expression: Expression; readonly name: string }[];
  readonly name?: string;
}

/** The bytes of a model. Inputs with an initial value are written as initializers. Host operators stand in it under a domain of their own, which engines do not know. */
export function toModel({ nodes, inputs, outputs, name = "flockwork" }: ModelSource): Uint8Array {
  const lowering = new Lowering(new Set([...inputs, ...outputs].map(({ name }) => name)));
  const names = new Map<Node, readonly string[]>();
  for (const { node, name } of inputs) {
    names.set(node, [name]);
    lowering.learn(name, node.types[0]!.shape);
  }
  const wanted = new Map<Node, Map<number, string>>();
  const copies: [Expression, string][] = [];
  for (const { expression, name } of outputs) {
    const slots = wanted.get(expression.node) ?? new Map<number, string>();
    if (names.has(expression.node) || expression.node.source || slots.has(expression.index))
      copies.push([expression, name]);
    else slots.set(expression.index, name);
    wanted.set(expression.node, slots);
  }
  let operations = 0;
  for (const node of nodes) {
    if (node.row === inputRow) continue;
    lowering.label = node.row.kind === "source" ? "" : `${node.row.name}.${operations++}`;
    const outs = node.types.map((_, i) => wanted.get(node)?.get(i));
    names.set(node, lower(lowering, node, names, outs));
    node.types.forEach(({ shape }, i) => {
      lowering.learn(names.get(node)![i]!, shape);
    });
  }
  lowering.label = "";
  for (const [x, name] of copies) lowering.emit("Identity", [names.get(x.node)![x.index]!], [], [name]);
  const graph = create(GraphSchema, {
    name,
    node: lowering.nodes,
    initializer: [
      ...lowering.initializers,
      ...inputs.flatMap(({ name, initial }) => (initial ? [tensorProto(name, initial)] : [])),
    ],
    input: inputs.filter(({ initial }) => !initial).map(({ node, name }) => valueInfo(name, node.types[0]!)),
    output: outputs.map(({ expression, name }) => valueInfo(name, expression.type)),
  });
  return encode(
    ModelSchema,
    create(ModelSchema, {
      irVersion: BigInt(IR_VERSION),
      producerName: "flockwork",
      opsetImport: [
        create(OperatorSetIdSchema, { domain: "", version: BigInt(OPSET) }),
        ...(lowering.hosts ? [create(OperatorSetIdSchema, { domain: HOST_DOMAIN, version: 1n })] : []),
      ],
      graph,
    }),
  );
}

function lower(
  lowering: Lowering,
  node: Node,
  names: ReadonlyMap<Node, readonly string[]>,
  outs: readonly (string | undefined)[],
): readonly string[] {
  const { row } = node;
  if (node.source?.value) return [lowering.constant(node.source.value)];
  const outputs = outs.map((name) => name ?? lowering.fresh());
  if (row === dimensionRow) {
    lowering.cast(lowering.dimension(node.attrs.dim as Dim, []), node.types[0]!.dtype, outputs[0]);
    return outputs;
  }
  if (row.kind === "source" || row.kind === "mark")
    throw new Error(`${row.name} is bound by whoever exports, never lowered`);
  const inputs = node.inputs.map((x) => names.get(x.node)![x.index]!);
  if (row.kind === "host") lowering.host(node, row, inputs, outputs);
  else lowering.row(node, row, inputs, outputs);
  return outputs;
}

function valueInfo(name: string, { dtype, shape }: Type): ValueInfoProto {
  const dim = shape.map((d) =>
    create(DimensionSchema, {
      value: typeof d === "number" ? { case: "dimValue", value: BigInt(d) } : { case: "dimParam", value: d },
    }),
  );
  const tensor = create(TensorTypeSchema, {
    elemType: DTYPES[dtype].onnx,
    shape: create(ShapeSchema, { dim }),
  });
  return create(ValueInfoSchema, {
    name,
    type: create(TypeSchema, { value: { case: "tensorType", value: tensor } }),
  });
}
