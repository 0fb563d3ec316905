// npm run fuzz -- [--frames 1000000] [--seed N]: a fuzz run against a hub of its own, on loopback. Exit 1 when the hub dies,
// grows past MAX_GROWTH_BYTES, meets a bug, or does not serve.
import { parseArgs } from "node:util";
import { Flock } from "../flock.js";
import { fuzz } from "./run.js";

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const [frames, seed] = [Number(values.frames), Number(values.seed)];
let end!: () => Promise<void>;
const flock = new Flock((finish) => (end = finish));
try {
  const hub = await flock.hub({ args: ["--log-level", "error"] });
  await flock.worker(hub.url, { services: ["quiet"] });
  const start = performance.now();
  const { failure, served, connections, growthBytes } = await fuzz({
    hub: hub.url,
    process: hub.program.child,
    frames,
    seed,
    every: 100_000,
    report: (line) => console.log(line),
  });
  const bugs = hub.program.err.filter((line) => /a bug|Error/.test(line));
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `${frames} frames over ${connections} connections in ${seconds} s; ${served} jobs served; the hub grew by ${Math.round(growthBytes / 1e6)} MB after the first tenth`,
  );
  for (const problem of [...(failure ? [failure] : []), ...bugs.slice(0, 5)])
    console.log(`FAILED: ${problem}`);
  if (failure !== undefined || bugs.length > 0) {
    console.log(`again: npm run fuzz -- --frames ${frames} --seed ${seed}`);
    process.exitCode = 1;
  }
} finally {
  await end();
}
process.exit();
