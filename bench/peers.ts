// npm run bench:peers: no-op jobs through ours and through systems that people use, one beside the other. JSON lines.
//   --only NAME   just the peers whose name has this in it
//   --rounds N    how often each is run, in turns with ours (2); the best run of each counts
// Ours writes every job and solution to disk before it shows them; the others keep them in memory here.
import { parseArgs } from "node:util";
import { MainNode } from "../dist/flock/index.node.js";
import { scratch, startScript, type Started } from "./jobs/processes.js";
import { print, quantiles } from "./jobs/statistics.js";
import { PEERS, type Measured } from "./peers/peers.js";

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, rounds: { type: "string", default: "2" } },
});
/** So many that ours, too, runs for a second or two, with its code compiled when the clock starts. */
const OUR_JOBS = 50_000;
const OUR_ROUNDS = 1_000;
/** Run before the clock starts, for about as long as the peers' scripts do that. */
const WARM_JOBS = 10_000;

async function ours(): Promise<Measured> {
  const script = (name: string) => new URL(`./jobs/${name}`, import.meta.url);
  const hub = await startScript(script("hub.mjs"), scratch());
  const nodes: Started[] = [];
  for (let i = 0; i < 2; i++) nodes.push(await startScript(script("node.mjs"), hub.line));
  const main = await MainNode.join({ hub: hub.line });
  const payload = new Uint8Array(100);
  const all = async (count: number) => {
    let solved = 0;
    for await (const result of main.submit(
      "noop",
      Array.from({ length: count }, () => payload),
    ))
      if (result.ok) solved++;
    return solved;
  };
  await all(WARM_JOBS);
  const began = performance.now();
  const solved = await all(OUR_JOBS);
  const seconds = (performance.now() - began) / 1000;
  const trips: number[] = [];
  for (let i = 0; i < OUR_ROUNDS; i++) {
    const start = performance.now();
    await main.request("noop", payload);
    trips.push(performance.now() - start);
  }
  await main.close();
  for (const process of [...nodes, hub]) process.kill();
  return { jobs: OUR_JOBS, solved, seconds, trips };
}

/** The highest rate and the lowest median of several runs. */
function best(runs: readonly Measured[]) {
  const perSecond = runs.map(({ jobs, seconds }) => Math.round(jobs / seconds));
  const trips = runs.map((run) => quantiles(Float64Array.from(run.trips)));
  const { jobs, solved } = runs[0]!;
  return {
    jobs,
    solved: Math.min(solved, ...runs.map((run) => run.solved)),
    perSecond: Math.max(...perSecond),
    p50: Math.min(...trips.map(({ p50 }) => p50)),
    runs: perSecond,
  };
}

for (const peer of PEERS) {
  if (!peer.name.toLowerCase().includes(values.only.toLowerCase())) continue;
  if (!peer.installed()) {
    print({ bench: "peer", peer: peer.name, skipped: "not installed", install: peer.install });
    continue;
  }
  // In turns, and the best of each: the machine's speed drifts, and others may use it.
  const our: Measured[] = [await ours()];
  const their: Measured[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    their.push(await peer.measure(peer.jobs, peer.rounds));
    our.push(await ours());
  }
  const [mine, theirs] = [best(our), best(their)];
  print({
    bench: "peer",
    peer: peer.name,
    what: "no-op jobs of 100 bytes, 2 workers; one job awaited, in ms",
    theirs,
    ours: mine,
    ratio: Number((mine.perSecond / theirs.perSecond).toFixed(1)),
    reach: peer.reach,
    p50Ratio: Number((theirs.p50 / mine.p50).toFixed(1)),
  });
}
process.exit();
