// A computing node that does nothing with each job but answer it: `node.mjs HUB`.
import { ComputingNode } from "../../dist/flock/index.node.js";
await ComputingNode.join({ hub: process.argv[2], name: "noop", services: { noop: (job) => job.bytes() } });
console.log("ready");
