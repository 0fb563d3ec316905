// npm run bench:streams: large payloads through real processes. JSON lines.
//   --only NAME   just one figure: throughput, yielding, memory
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { MainNode } from "../dist/flock/index.node.js";
import { scratch, startScript } from "./jobs/processes.js";
import { print, quantiles } from "./jobs/statistics.js";
import { relayed } from "./streams/floor.js";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "9" },
    gibibytes: { type: "string", default: "1" },
  },
});
const wants = (name: string) => values.only === undefined || values.only === name;
const hubScript = new URL("./jobs/hub.mjs", import.meta.url);
const nodeScript = new URL("./streams/node.mjs", import.meta.url);
const mainScript = new URL("./streams/main.mjs", import.meta.url);

const STORES = [
  { store: "durable", reach: 250 },
  { store: "ephemeral", reach: 450 },
] as const;

/** The most memory a process has had, in MB, as Linux tells it. */
function peak(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000);
}

async function flock(store: "durable" | "ephemeral") {
  const hub = await startScript(hubScript, store === "durable" ? scratch() : "memory");
  const node = await startScript(nodeScript, hub.line);
  return { hub, node, stop: () => [node, hub].forEach((process) => process.kill()) };
}

/** Bytes that no two rounds share, so that nothing is stored already. */
function payload(bytes: number, round: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  new Uint32Array(whole.buffer).fill(Math.imul(round + 1, 2654435761));
  return whole;
}

/** The least, the median and the most of some rates. */
function spread(rates: Float64Array) {
  const sorted = rates.slice().sort();
  return {
    min: Math.round(sorted[0]!),
    p50: Math.round(quantiles(rates).p50),
    max: Math.round(sorted.at(-1)!),
  };
}

/** 64 MiB over bare `ws` through a relay: beside each figure, as the machine is at that moment. */
async function printFloor() {
  const rates = await relayed(64 * 2 ** 20, Number(values.rounds));
  print({
    bench: "throughput",
    what: "floor: 64 MiB through a bare ws relay",
    unit: "MB/s",
    ...spread(rates),
  });
}

if (wants("throughput"))
  for (const { store, reach } of STORES) {
    await printFloor();
    const { hub, stop } = await flock(store);
    const main = await MainNode.join({ hub: hub.line });
    const bytes = 64 * 2 ** 20;
    for (const [service, what] of [
      ["size", "whole"],
      ["read", "as it comes"],
    ] as const) {
      const rates = new Float64Array(Number(values.rounds));
      for (let round = 0; round < rates.length; round++) {
        const job = payload(bytes, round);
        const start = performance.now();
        const size = Number((await main.request(service, job)).text());
        if (size !== bytes) throw new Error(`${size} bytes arrived`);
        rates[round] = bytes / 1e6 / ((performance.now() - start) / 1000);
      }
      print({
        bench: "throughput",
        what: `64 MiB from a main node to a computing node, ${store}, taken ${what}`,
        unit: "MB/s",
        ...spread(rates),
        reach,
      });
    }
    await main.close();
    stop();
  }

if (wants("yielding")) {
  const { hub, stop } = await flock("durable");
  const [main, other] = [await MainNode.join({ hub: hub.line }), await MainNode.join({ hub: hub.line })];
  const second = await startScript(nodeScript, hub.line);
  const trips = async (until: () => boolean) => {
    const times: number[] = [];
    while (!until() || times.length < 200) {
      const start = performance.now();
      await other.request("noop", "x");
      times.push(performance.now() - start);
    }
    return quantiles(Float64Array.from(times));
  };
  const alone = await trips(() => true);
  let over = false;
  const large = Promise.resolve(main.request("size", payload(256 * 2 ** 20, 1))).then(() => (over = true));
  const beside = await trips(() => over);
  await large;
  print({ bench: "yielding", what: "a small job beside 256 MiB", unit: "ms", alone, beside });
  await main.close();
  await other.close();
  second.kill();
  stop();
}

if (wants("memory"))
  for (const { store } of STORES) {
    const { hub, node, stop } = await flock(store);
    const bytes = Number(values.gibibytes) * 2 ** 30;
    const main = await startScript(mainScript, hub.line, String(bytes));
    const trip = JSON.parse(main.line) as { arrived: number; back: number; upMs: number; backMs: number };
    if (trip.arrived !== bytes || trip.back !== bytes) throw new Error(`not all came: ${main.line}`);
    const megabytes = { hub: peak(hub.pid), node: peak(node.pid), main: peak(main.pid) };
    const rate = (ms: number) => Math.round(bytes / 1e6 / (ms / 1000));
    print({
      bench: "memory",
      what: `the most memory with ${values.gibibytes} GiB there and back, ${store}`,
      unit: "MB",
      ...megabytes,
      reach: 300,
      upMBs: rate(trip.upMs),
      backMBs: rate(trip.backMs),
    });
    main.kill();
    stop();
  }
process.exit();
