// A process that holds an engine, idle or busy, and says the engine's number. It waits to be killed.
import { readFileSync } from "node:fs";
import { processSlots } from "../../dist/engine/process/process-slots.node.js";
import { input, program, Tensor } from "../../dist/graph/index.js";

const slots = await processSlots({ slots: 1 });
if (process.argv[2] === "busy") {
  const x = input("column", "float32", [2048, 1]).add(input("row", "float32", [1, 2048]));
  let y = x;
  for (let i = 0; i < 2000; i++) y = y.matmul(x);
  const { hash, model } = program({ outputs: { y: y.max() } });
  const [column, row] = [
    [2048, 1],
    [1, 2048],
  ].map((shape) => new Tensor("float32", shape, new Float32Array(2048)));
  void slots.run({ hash, model: () => Promise.resolve(model) }, [column, row]);
}
process.stdout.write(`${readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim()}\n`);
setInterval(() => undefined, 1000);
