// flockwork/graph/plan: cutting programs for several nodes, and drawing. Apart from flockwork/graph, so that a page that plans
// nothing does not load it.
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
