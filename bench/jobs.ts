// npm run bench:jobs: no-op jobs through real processes, beside the floors of the same run. JSON lines.
//   --only NAME   just one figure: floors, latency, throughput, memory
import { parseArgs } from "node:util";
import { MainNode } from "../dist/flock/index.node.js";
import { tcpEcho, time, wsEcho, wsTwoHops } from "./jobs/floors.js";
import { hubMemory } from "./jobs/memory.js";
import { scratch, startScript, type Started } from "./jobs/processes.js";
import { print } from "./jobs/statistics.js";

const { values } = parseArgs({
  options: { only: { type: "string" }, rounds: { type: "string", default: "6000" } },
});
const wants = (name: string) => values.only === undefined || values.only === name;
const rounds = Number(values.rounds);

const script = (name: string) => new URL(`./jobs/${name}`, import.meta.url);

async function flock(store: "durable" | "ephemeral", nodes: number) {
  const hub = await startScript(script("hub.mjs"), store === "durable" ? scratch() : "memory");
  const started: Started[] = [];
  for (let i = 0; i < nodes; i++) started.push(await startScript(script("node.mjs"), hub.line));
  const main = await MainNode.join({ hub: hub.line });
  const stop = async () => {
    await main.close();
    for (const process of [...started, hub]) process.kill();
  };
  return { hub, main, stop };
}

if (wants("floors") || wants("latency")) {
  print({ bench: "floor", what: "tcp echo", unit: "ms", ...(await tcpEcho(rounds)) });
  print({ bench: "floor", what: "ws echo", unit: "ms", ...(await wsEcho(rounds)) });
}
if (wants("latency")) {
  const job = new Uint8Array(100);
  const trips: { store: "durable" | "ephemeral"; over: number }[] = [
    { store: "durable", over: 0.15 },
    { store: "ephemeral", over: 0.08 },
  ];
  for (const { store, over } of trips) {
    const { main, stop } = await flock(store, 1);
    // The floor before and after, since the machine's speed drifts.
    const before = await wsTwoHops(rounds);
    const result = await time(rounds, () => Promise.resolve(main.request("noop", job)));
    await stop();
    const after = await wsTwoHops(rounds);
    const floor = (before.p50 + after.p50) / 2;
    print({
      bench: "latency",
      what: `one ${store} job`,
      unit: "ms",
      ...result,
      floor: Number(floor.toFixed(4)),
      over: Number((result.p50 - floor).toFixed(4)),
      reach: over,
    });
  }
}
if (wants("throughput")) {
  for (const { jobs, reach } of [
    { jobs: 10_000, reach: 50_000 },
    { jobs: 200_000, reach: 100_000 },
  ]) {
    const { main, stop } = await flock("durable", 2);
    const payload = new Uint8Array(100);
    const source = Array.from({ length: jobs }, () => payload);
    const start = performance.now();
    let solved = 0;
    const share = new Map<string, number>();
    for await (const result of main.submit("noop", source))
      if (result.ok) {
        solved++;
        share.set(result.node, (share.get(result.node) ?? 0) + 1);
      }
    const seconds = (performance.now() - start) / 1000;
    await stop();
    print({
      bench: "throughput",
      what: "durable no-op jobs, 2 nodes, cold",
      jobs,
      solved,
      perSecond: Math.round(jobs / seconds),
      reach,
      shares: [...share.values()],
    });
  }
}
if (wants("memory")) await hubMemory(script("hub.mjs"), script("node.mjs"));
process.exit();
