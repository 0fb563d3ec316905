// A main node in a process of its own: `sender.mjs '{"hub":..., "session":..., "service":..., "jobs":[...], "take":n}'`.
// First says what it had missed ("missed <text>"), all of it; then sends the jobs, says "solution <text>" for the first `take`
// results and acknowledges those, says "holding <text>" for one more, and stays.
import { MainNode } from "../dist/flock/index.node.js";

const { hub, session, service, jobs = [], take = 0 } = JSON.parse(process.argv[2]);
const print = (line) => process.stdout.write(`${line}\n`);
const textOf = (result) => (result.ok ? result.text() : `[${result.error.code}] ${result.error.message}`);

const main = await MainNode.join({ hub, session });
print(`ready ${main.missed}`);
for await (const result of main.resume()) print(`missed ${textOf(result)}`);
print("resumed");
let taken = 0;
for await (const result of main.submit(service, jobs)) {
  print(`${taken < take ? "solution" : "holding"} ${textOf(result)}`);
  if (++taken > take) await new Promise(() => {});
}
setInterval(() => undefined, 60_000); // stays until it is killed
