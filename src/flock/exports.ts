// What the package exports in every runtime.
export {
  FlockworkError,
  JobError,
  ERROR_CODES,
  type AttemptFailure,
  type ErrorCode,
  type NodeId,
  type NodeKind,
  type NodeState,
} from "../ids/index.js";
export {
  Batch,
  Flock,
  Graph,
  GraphFailure,
  Solution,
  Unsolved,
  type FlockOptions,
  type GraphOptions,
  type GraphPlan,
  type OperationFailure,
  type OperatorFigures,
  type Progress,
  type JobOptions,
  type MainNodeOptions,
  type Result,
} from "../client/index.js";
export {
  Job,
  ServiceError,
  type ComputingNodeOptions,
  type EngineOptions,
  type Service,
  type ServiceContext,
  type ServiceFunction,
  type Services,
} from "../node/index.js";
export { GraphError } from "../graph/error.js";
export { Tensor, type DType } from "../tensor/index.js";
