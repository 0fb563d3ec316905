// Many computing nodes in one process, each over a socket of its own: nodes.mjs HUB COUNT MILLISECONDS
import { WebSocket } from "ws";

// The browser's build, so that no node needs a thread for its heartbeat.
globalThis.WebSocket = WebSocket;
const { ComputingNode } = await import("../../dist/flock/index.browser.js");

const [hub, count, ms] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const wait = () => new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random())));
const nodes = Array.from({ length: count }, (_, i) =>
  ComputingNode.join({
    hub,
    name: `virtual-${String(i).padStart(3, "0")}`,
    prefetch: false,
    services: { wait: () => wait().then(() => "") },
  }),
);
await Promise.all(nodes);
process.stdout.write(`ready ${count}\n`);
