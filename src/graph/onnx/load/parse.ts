// The bytes of a model as its protobuf message, with what no model may have refused: other domains, functions, unknown fields.
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, type GraphProto, type ModelProto, type NodeProto } from "onnx-buf";
import { GraphError } from "../../error.js";
import { HOST_DOMAIN } from "../lower.js";

/** The operator sets that are read: from 13 on, axes and the like are inputs and Softmax has its meaning of today. */
export const OPSETS = { from: 13, to: 25 } as const;
/** Subgraphs in subgraphs, as protobuf counts messages: model, graph, node, attribute, graph, ... */
const NESTING = 40;

export interface Parsed {
  readonly model: ModelProto;
  readonly graph: GraphProto;
  readonly opset: number;
  /** Bytes of the model. */
  readonly size: number;
}

export function parseModel(bytes: Uint8Array): Parsed {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes, { recursionLimit: NESTING });
  } catch (cause) {
    throw new GraphError(
      `${bytes.length} bytes are not an ONNX model: ${cause instanceof Error ? cause.message : String(cause)}`,
      "bad_model",
      { cause },
    );
  }
  if (!model.graph || model.opsetImport.length === 0)
    throw new GraphError(
      `${bytes.length} bytes are not an ONNX model: ${model.graph ? "no operator set is named" : "there is no graph in it"}`,
      "bad_model",
    );
  const foreign = model.opsetImport.find(
    ({ domain, version }) => !isStandard(domain) && !(domain === HOST_DOMAIN && version === 1n),
  );
  if (foreign)
    throw new GraphError(
      `the model imports operators of the domain "${foreign.domain}", version ${foreign.version}; only ONNX's own are known, and Flockwork's (${HOST_DOMAIN}, version 1)`,
      "unsupported",
    );
  if (model.functions.length > 0)
    throw new GraphError(
      `the model defines functions of its own (${model.functions[0]!.name}); inline them, as onnx.inliner does`,
      "unsupported",
    );
  if (model.trainingInfo.length > 0)
    throw new GraphError(
      "the model carries training information, which is not read; save it for inference",
      "unsupported",
    );
  const versions = model.opsetImport.flatMap(({ domain, version }) =>
    isStandard(domain) ? Number(version) : [],
  );
  const opset = versions[0] ?? 0;
  if (versions.some((each) => each !== opset))
    throw new GraphError(`the model names two operator sets: ${versions.join(" and ")}`, "bad_model");
  if (!(opset >= OPSETS.from && opset <= OPSETS.to))
    throw new GraphError(
      `the model is written in operator set ${opset}; ${OPSETS.from} to ${OPSETS.to} are read: convert it, as onnx.version_converter does`,
      "unsupported",
    );
  return { model, graph: model.graph, opset, size: bytes.length };
}

/** What an operator is called among all that can be read: those of other domains bear theirs in front. */
export function operatorOf({ domain, opType }: NodeProto): string {
  return isStandard(domain) ? opType : `${domain}.${opType}`;
}

function isStandard(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}
