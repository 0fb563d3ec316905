// npm run bench:graph: tensor graphs beside the floors and peers of the same run. JSON lines; `reach` is what the figure should be.
//   --only NAME   just one: training, gradients, rows, building, bundle
//   --rounds N    turns that contenders take
import { parseArgs } from "node:util";
import { ortNodeEngine } from "../src/engine/ort-node.node.js";
import { building } from "./graph/building.js";
import { bundle } from "./graph/bundle.js";
import { print } from "./graph/contest.js";
import { cnn, mlp } from "./graph/models.js";
import { everyRow, reverse } from "./graph/reverse.js";
import { startTorch } from "./graph/torch.js";
import { training } from "./graph/training.js";

const { values } = parseArgs({
  options: { only: { type: "string" }, rounds: { type: "string", default: "15" } },
});
const wants = (name: string) => values.only === undefined || values.only === name;
const rounds = Number(values.rounds);
// First, since the first graphs of a process are the slowest to build.
if (wants("building")) building();
if (wants("bundle")) await bundle();
const engine = await ortNodeEngine();
print({ bench: "engine", name: engine.name, version: engine.version, threads: 1 });

if (wants("training")) {
  const torch = await startTorch([mlp, cnn]);
  await training(engine, torch, rounds);
  if (typeof torch === "object") torch.stop();
}
if (wants("gradients")) await reverse(engine, rounds);
if (wants("rows")) await everyRow(engine);
