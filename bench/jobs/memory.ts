// What waiting jobs cost a hub, and whether its memory stays flat over a million.
import { readFileSync } from "node:fs";
import { MainNode } from "../../dist/flock/index.node.js";
import { scratch, startScript } from "./processes.js";
import { print } from "./statistics.js";

const WAITING = 16_000;
const SESSIONS = 6;
const MILLION = 1_000_000;

/** Resident memory of a process in bytes, as Linux tells it. */
function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

export async function hubMemory(hubScript: URL, nodeScript: URL): Promise<void> {
  const hub = await startScript(hubScript, scratch());
  const payload = new Uint8Array(100);
  const before = resident(hub.pid);
  const mains = [];
  for (let s = 0; s < SESSIONS; s++) {
    const main = await MainNode.join({ hub: hub.line });
    const batch = main.submit(
      "noop",
      Array.from({ length: WAITING }, () => payload),
    );
    while (batch.submitted < WAITING) await new Promise((resolve) => setTimeout(resolve, 10));
    mains.push({ main, batch });
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  const jobs = WAITING * SESSIONS;
  print({
    bench: "memory",
    what: "one waiting job of 100 bytes",
    unit: "bytes",
    value: Math.round((resident(hub.pid) - before) / jobs),
    jobs,
    reach: 2048,
  });
  const nodes = [await startScript(nodeScript, hub.line), await startScript(nodeScript, hub.line)];
  for (const { main, batch } of mains) {
    for await (const result of batch) if (!result.ok) throw result.error;
    await main.close();
  }
  const main = await MainNode.join({ hub: hub.line });
  const samples: number[] = [];
  let solved = 0;
  const source = function* () {
    for (let i = 0; i < MILLION; i++) yield payload;
  };
  for await (const result of main.submit("noop", source()))
    if (result.ok && ++solved % (MILLION / 10) === 0) samples.push(Math.round(resident(hub.pid) / 1e6));
  await main.close();
  for (const process of [...nodes, hub]) process.kill();
  print({ bench: "memory", what: "hub over a million jobs", unit: "MB", solved, samples });
}
