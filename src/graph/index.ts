// flockwork/graph: tensor expressions, gradients, programs. Runs nothing by itself.
export { Tensor, toNumbers, toTensor, type DType, type TensorLike } from "../tensor/index.js";
export { GraphError } from "./error.js";
export type { Binding, Dim, Shape } from "./dim.js";
export type { Type } from "./shape.js";
export { Expression } from "./expression.js";
export type { Operand } from "./operand.js";
export type { Row } from "./row.js";
export { input, tensor } from "./leaf.js";
export { arange, dimension, full, ones, zeros } from "./creation.js";
export { checkpoint } from "./checkpoint.js";
export { jacobian } from "./jacobian.js";
export { gradients, pullBack, valueAndGradients } from "./gradient.js";
export {
  plan,
  partOf,
  runPlan,
  type Capacity,
  type NodeCapacity,
  type Plan,
  type PlanOptions,
  type Source,
  type Task,
} from "./plan.js";
export { draw } from "./draw.js";
export { evaluate } from "./interpreter.js";
export { Nd } from "./nd.js";
export { named, program, Program, type Port, type ProgramSpec } from "./program.js";
export { load, Model, type LoadOptions } from "./onnx/load.js";
export { check, Checked, DEFAULT_LIMITS, type Limits } from "./check.js";
export type { Cost } from "./cost.js";
export { catalogue, type Entry } from "./catalogue/index.js";
export * from "./catalogue/compare.js";
export * from "./catalogue/elementwise.js";
export * from "./catalogue/indexing.js";
export * from "./catalogue/linear.js";
export * from "./catalogue/loss.js";
export * from "./catalogue/nn.js";
export * from "./catalogue/reduce.js";
export * from "./catalogue/shaping.js";
export * from "./catalogue/attention.js";
export * from "./catalogue/conv.js";
export * from "./catalogue/einsum.js";
export * from "./catalogue/flow.js";
export * from "./catalogue/host.js";
export * from "./catalogue/norm.js";
export * from "./catalogue/pooling.js";
export * from "./catalogue/random.js";
export * from "./catalogue/sorting.js";
export * from "./catalogue/stats.js";
