// npm run bench:secure: what tokens and TLS cost, and what a flood from one client costs another. JSON lines.
//   --only NAME   just one figure: secure, flood
import { parseArgs } from "node:util";
import { MainNode } from "../dist/flock/index.node.js";
import { certificate } from "../test/net/certificates.js";
import { time } from "./jobs/floors.js";
import { scratch, startScript, type Started } from "./jobs/processes.js";
import { print, quantiles } from "./jobs/statistics.js";
import { readFileSync } from "node:fs";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "3000" },
    jobs: { type: "string", default: "100000" },
    seconds: { type: "string", default: "6" },
  },
});
const wants = (name: string) => values.only === undefined || values.only === name;
const script = (name: string) => new URL(name, import.meta.url);
const payload = new Uint8Array(100);

interface Flock {
  readonly main: Awaited<ReturnType<typeof MainNode.join>>;
  readonly hub: Started;
  stop(): Promise<void>;
}

async function flock(secure: boolean, nodes: number): Promise<Flock> {
  const folder = scratch();
  const files = certificate(folder, "hub", "IP:127.0.0.1");
  const hub = secure
    ? await startScript(script("./secure/hub.mjs"), folder, files.cert, files.key)
    : await startScript(script("./jobs/hub.mjs"), folder);
  const links = secure
    ? (JSON.parse(hub.line) as { compute: string; main: string })
    : { compute: hub.line, main: hub.line };
  // For the processes that are started next.
  process.env["NODE_EXTRA_CA_CERTS"] = files.cert;
  const started: Started[] = [];
  for (let i = 0; i < nodes; i++) started.push(await startScript(script("./jobs/node.mjs"), links.compute));
  const main = await MainNode.join({
    hub: links.main,
    ...(secure && { ca: readFileSync(files.cert, "utf8") }),
  });
  const stop = async () => {
    await main.close();
    for (const process of [...started, hub]) process.kill();
  };
  return { main, hub, stop };
}

async function perSecond({ main }: Flock, jobs: number): Promise<number> {
  const start = performance.now();
  for await (const result of main.submit(
    "noop",
    Array.from({ length: jobs }, () => payload),
  ))
    if (!result.ok) throw result.error;
  return jobs / ((performance.now() - start) / 1000);
}

if (wants("secure")) {
  const jobs = Number(values.jobs);
  const rates = { off: [] as number[], on: [] as number[] };
  const trips = { off: [] as number[], on: [] as number[] };
  // In turns, since the machine's speed drifts.
  for (let turn = 0; turn < 3; turn++)
    for (const [name, secure] of [
      ["off", false],
      ["on", true],
    ] as const) {
      const running = await flock(secure, 2);
      await perSecond(running, jobs / 5);
      rates[name].push(await perSecond(running, jobs));
      trips[name].push(
        (await time(Number(values.rounds), async () => void (await running.main.request("noop", payload))))
          .p50,
      );
      await running.stop();
    }
  const middle = (numbers: number[]) => quantiles(Float64Array.from(numbers)).p50;
  const [off, on] = [middle(rates.off), middle(rates.on)];
  print({
    bench: "secure",
    what: `durable no-op jobs, 2 nodes, ${jobs}, tokens and TLS on against off`,
    off: Math.round(off),
    on: Math.round(on),
    ratio: Number((on / off).toFixed(2)),
    reach: 0.8,
  });
  const over = middle(trips.on) - middle(trips.off);
  print({
    bench: "secure",
    what: "one durable job, p50, tokens and TLS on against off",
    unit: "ms",
    off: middle(trips.off),
    on: middle(trips.on),
    over: Number(over.toFixed(4)),
    reach: 0.1,
  });
}

if (wants("flood"))
  for (const kind of ["beats", "nonsense", "submits"]) {
    const running = await flock(false, 1);
    const trip = async () => void (await running.main.request("noop", payload));
    await time(1000, trip);
    const during = async () => {
      const times: number[] = [];
      for (const end = performance.now() + Number(values.seconds) * 1000; performance.now() < end;) {
        const start = performance.now();
        await trip();
        times.push(performance.now() - start);
      }
      return { jobs: times.length, ...quantiles(Float64Array.from(times)) };
    };
    const alone = await during();
    const flood = await startScript(script("./secure/flood.mjs"), running.hub.line, kind);
    const beside = await during();
    flood.kill();
    await running.stop();
    print({
      bench: "flood",
      what: `one job of a client beside another that floods with ${kind}`,
      unit: "ms",
      alone,
      beside,
      ratio: Number((beside.p50 / alone.p50).toFixed(2)),
      reach: 2,
    });
  }
process.exit();
