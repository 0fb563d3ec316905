// npm run bench:engine: programs through an engine process beside bare ONNX Runtime in this one, and the floors that no way between two processes goes below.
// JSON lines; `reach` is what the figure should be. Contenders of one figure take turns.
//   --rounds N    turns that contenders take
//   --provider P  `wasm` for the WebAssembly engine
import { parseArgs } from "node:util";
import { processSlots } from "../src/engine/process/process-slots.node.js";
import { startEngine } from "../src/engine/start-engine.node.js";
import { figures } from "./engine/figures.js";
import { echoes } from "./engine/floors.js";
import { large } from "./engine/large.js";
import { tiny } from "./engine/tiny.js";
import { fiftyMs } from "./engine/fifty-ms.js";
import { print } from "./graph/contest.js";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, provider: { type: "string" } },
});
const rounds = Number(values.rounds);
const options = { threads: 1, ...(values.provider !== undefined && { provider: values.provider }) };
const { engine, facts } = await startEngine(options);
print({ bench: "engine", ...facts });

const slots = await processSlots({ slots: 1, ...options });
const thread = await processSlots({ slots: 1, trusted: true, ...options });
try {
  await tiny(engine, { slots, thread, rounds });
  await echoes(rounds);
  await large(engine, { slots, thread, rounds });
  await fiftyMs(engine, { slots, rounds });
  await figures({ slots, options });
} finally {
  await Promise.all([slots.close(), thread.close()]);
}
