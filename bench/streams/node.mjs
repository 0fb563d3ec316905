// A computing node that looks at its jobs' sizes, whole or as they come, and one that sends back as many bytes: `node.mjs HUB`.
import { ComputingNode } from "../../dist/flock/index.node.js";

const piece = new Uint8Array(256 * 1024).fill(7);

async function* bytes(count) {
  for (let at = 0; at < count; at += piece.length)
    yield piece.subarray(0, Math.min(piece.length, count - at));
}

await ComputingNode.join({
  hub: process.argv[2],
  name: "streams",
  services: {
    size: (job) => String(job.size),
    read: {
      stream: true,
      run: async (job) => {
        let size = 0;
        for await (const chunk of job.stream()) size += chunk.length;
        return String(size);
      },
    },
    give: (job) => bytes(Number(job.text())),
    noop: () => "",
  },
});
console.log("ready");
