// A hub: `hub.mjs DIR|memory`. Prints its address; answers "memory" on stdin-less SIGUSR2 by printing its own use.
import { startHub } from "../../dist/hub/index.js";
const [dir] = process.argv.slice(2);
const hub = await startHub({ port: 0, log: { level: "warn" }, ...(dir !== "memory" && { dataDir: dir }) });
console.log(hub.url);
