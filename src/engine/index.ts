// flockwork/engine: runs programs on this device. The Node driver has its own file, so that browsers never see it.
export { loadProgram, type Engine, type Session } from "./engine.js";
export { ortWebEngine, type OrtWebOptions } from "./ort-web.js";
