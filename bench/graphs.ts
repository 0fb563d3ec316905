// npm run bench:graphs: graphs computed by a hub and nodes in processes of their own, beside the floors and peers of the same run.
// JSON lines; `reach` is what the figure should be. Each node has one slot of one thread.
//   --only NAME   just one: fifty, tiny, matmul, halves, workers, memory, operations
//   --rounds N    turns that contenders take
import { parseArgs } from "node:util";
import { cpus } from "node:os";
import { print } from "./graph/contest.js";
import { fiftyMs } from "./graphs/fifty-ms.js";
import { halves } from "./graphs/halves.js";
import { matmul } from "./graphs/matmul.js";
import { memory } from "./graphs/memory.js";
import { operations } from "./graphs/operations.js";
import { tiny } from "./graphs/tiny.js";
import { workers } from "./graphs/workers.js";

const FIGURES = { fifty: fiftyMs, tiny, matmul, halves, workers, memory, operations };

const { values } = parseArgs({
  options: { only: { type: "string" }, rounds: { type: "string", default: "7" } },
});
print({ bench: "graphs", node: process.version, cpu: cpus()[0]?.model, cpus: cpus().length });
for (const [name, figure] of Object.entries(FIGURES))
  if (values.only === undefined || values.only === name) await figure(Number(values.rounds));
process.exit();
