// Programs of about 50 ms through client, hub, node and engine process, beside bare ONNX Runtime in this process.
import { print } from "../graph/contest.js";
import { processorMs, startFlock } from "./flock.js";
import { mapped } from "./mapped.js";
import { bareRun, products, productsFor } from "./programs.js";
import { ratios, spread, turns } from "./turns.js";

const MS = 50;
const RUNS = 24;

export async function fiftyMs(rounds: number): Promise<void> {
  const processes = await startFlock(1);
  const [node] = processes.nodes;
  const flock = await processes.connect();
  for (const large of [false, true]) {
    const work = products(await productsFor(MS, large), large);
    const bare = await bareRun(work);
    const used = { hub: 0, node: 0, engine: 0 };
    const now = (): number[] => [processes.hub.pid, node!.pid, node!.engine].map(processorMs);
    const taken = await turns(
      {
        bare: async () => {
          const started = performance.now();
          for (let i = 0; i < RUNS; i++) await bare();
          return (performance.now() - started) / RUNS;
        },
        flock: async () => {
          const before = now();
          const ms = 1000 * (await mapped(flock, work, RUNS));
          [used.hub, used.node, used.engine] = now().map((each, i) => (each - before[i]!) / RUNS) as [
            number,
            number,
            number,
          ];
          return ms;
        },
      },
      rounds,
    );
    print({
      figure: "50 ms programs through the hub: throughput of bare ONNX Runtime's",
      inAndOut: large ? "2.25 MiB" : "3 KiB",
      ofBare: ratios(taken.bare, taken.flock),
      ...(large ? {} : { reach: 0.95 }),
      bareMs: spread(taken.bare),
      flockMs: spread(taken.flock),
      // Of the last turn: what the way costs, whatever else the machine does.
      processorMs: used,
    });
  }
  await processes.stop();
}
