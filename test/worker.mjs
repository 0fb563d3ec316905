// A computing node with services of test/services.mjs: `worker.mjs '{"hub":"ws://...", ...}'`. Reads "drop" from stdin.
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ComputingNode } from "../dist/flock/index.node.js";
import * as all from "./services.mjs";

const { hub, name = "worker", slots = 1, domain, services } = JSON.parse(process.argv[2]);
const print = (line) => process.stdout.write(`${line}\n`);
const module = fileURLToPath(new URL("./services.mjs", import.meta.url));
/** "slow", or "mine=slow" to offer it as "mine". */
const one = (name) => {
  const service = name.split("=").at(-1);
  return [name.split("=")[0], service === "spin" ? { module, export: service } : all[service]];
};

const node = await ComputingNode.join({
  hub,
  name,
  slots,
  ...(domain !== undefined && { domain }),
  services: Object.fromEntries((services ?? Object.keys(all)).map(one)),
  onDown: (reason) => print(`down ${reason}`),
  onUp: () => print("up"),
  onNotice: ({ code, message }) => print(`notice ${code} ${message}`),
});
print(`ready ${node.id}`);
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "drop") node.drop();
});
