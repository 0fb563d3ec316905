// A hub with options that no command has, such as limits: `hub.mjs '{"limits":{...}}'`. Says "listens on <address>".
import { startHub } from "../../dist/hub/index.js";

const hub = await startHub({ port: 0, log: { level: "warn" }, ...JSON.parse(process.argv[2]) });
process.stdout.write(`listens on ${hub.url}\n`);
