// flockwork/engine: runs programs on this device. The Node drivers have files of their own, so that browsers never see them.
export { loadProgram, type Engine, type Session } from "./engine.js";
export { workerSlots, type WorkerSlotsOptions } from "./worker/page-slots.js";
export { ortWebEngine, type OrtWebOptions } from "./ort-web.js";
export {
  EngineError,
  type EngineFacts,
  type EngineFigures,
  type EngineSlots,
  type ProgramResult,
  type ProgramRun,
  type ProgramSource,
} from "./slot.js";
