// ONNX Runtime behind the Engine interface: what its Node and Web packages have in common. They share one API, so one adapter serves both.
import type { InferenceSession, Tensor as OrtTensor, TypedTensor } from "onnxruntime-web";
import { FlockworkError } from "../ids/index.js";
import { DTYPES, Tensor, type DType, type TensorData } from "../tensor/index.js";
import type { Engine, Session } from "./engine.js";

/** The part of `onnxruntime-common` that both packages export. */
export interface OrtApi {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (type: OrtTensor.Type, data: OrtTensor.DataType, dims: readonly number[]) => OrtTensor;
}

/**
 * Fusions of the runtime that are wrong in float64: one keeps a factor of a product in float32, the other makes an operator that has no
 * kernel, so that the model is refused.
 */
const EXTRA = { optimization: { disable_specified_optimizers: "MatMulScaleFusion;QuickGeluFusion" } };

export function ortEngine(
  name: string,
  version: string,
  api: OrtApi,
  options: InferenceSession.SessionOptions,
): Engine {
  return {
    name,
    version,
    async load(model) {
      try {
        return ortSession(name, api, await api.InferenceSession.create(model, { ...options, extra: EXTRA }));
      } catch (cause) {
        throw new FlockworkError("bad_argument", `${name} cannot load the model: ${messageOf(cause)}`, {
          cause,
        });
      }
    },
  };
}

function ortSession(name: string, api: OrtApi, session: InferenceSession): Session {
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(inputs) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => [key, toOrt(api, value)]),
      );
      let results: InferenceSession.ReturnType;
      try {
        results = await session.run(feeds);
      } catch (cause) {
        throw new FlockworkError("bad_argument", `${name} cannot run the model: ${messageOf(cause)}`, {
          cause,
        });
      }
      return Object.fromEntries(
        Object.entries(results).map(([key, value]) => [key, fromOrt(value as TypedTensor<OrtTensor.Type>)]),
      );
    },
    release: () => session.release(),
  };
}

function toOrt(api: OrtApi, { dtype, data, shape }: Tensor): OrtTensor {
  return new api.Tensor(dtype, data, shape);
}

function fromOrt({ type, data, dims }: TypedTensor<OrtTensor.Type>): Tensor {
  if (!(type in DTYPES))
    throw new FlockworkError(
      "bad_argument",
      `the model gives a tensor of ${type}, which Flockwork does not carry`,
    );
  const { array } = DTYPES[type as DType];
  const bytes = data as TensorData;
  // Newer runtimes give float16 as a Float16Array; its bits are what we carry.
  const own =
    bytes instanceof array ? bytes : new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
  return new Tensor(type as DType, dims, own as TensorData);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
