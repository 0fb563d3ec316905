// How throughput grows with nodes: one and two real ones, and a simulated flock with the costs that were measured on them.
import { processSlots } from "../../dist/engine/process/process-slots.node.js";
import { scenario, Simulation, write } from "../../src/sim/index.js";
import { median, print, round } from "../graph/contest.js";
import { startFlock, type Processes } from "./flock.js";
import { mapped } from "./mapped.js";
import { bareRun, fresh, products, productsFor, tinyWork, type Work } from "./programs.js";
import { ratios, spread, turns, type Turn } from "./turns.js";

const MS = 50;
const RUNS = 24;
const SIMULATED = [2, 4, 8, 16, 32, 64];
const TASKS_A_NODE = 200;

export async function workers(rounds: number): Promise<void> {
  const work = products(await productsFor(MS));
  const flocks = [await startFlock(1), await startFlock(2)];
  const [one, two] = [await flocks[0]!.connect(), await flocks[1]!.connect()];
  const slots = [1, 2].map((slots) => processSlots({ slots, threads: 1 }));
  const taken = await turns(
    {
      one: () => mapped(one, work, RUNS),
      two: () => mapped(two, work, 2 * RUNS),
      engine: engines(await slots[0]!, work, 1),
      engines: engines(await slots[1]!, work, 2),
    },
    rounds,
  );
  const times = ratios(taken.one, taken.two);
  print({
    figure: "worker curve: two nodes' throughput over one's",
    value: times,
    efficiency: round(times.median / 2),
    floor: ratios(taken.engine, taken.engines),
    floorIs: "two engine processes over one, without hub and nodes, on this machine of few processors",
    secondsOfOneProgram: spread(taken.one),
  });
  const trip = await tripMs(flocks[0]!);
  for (const flock of flocks) await flock.stop();
  for (const each of slots) await (await each).close();

  const meanMs = 1000 * median(taken.engine);
  for (const nodes of SIMULATED) {
    const flock = scenario("calm", {
      nodes,
      tasks: nodes * TASKS_A_NODE,
      window: 2,
      speedSigma: 0,
      meanMs,
      latencyMs: trip / 2,
      taskBytes: 3200,
      answerBytes: 3200,
      idempotent: true,
    });
    const { makespan, bound } = new Simulation(write(flock, 7)).run();
    print({
      figure: "worker curve, simulated from measured costs",
      nodes,
      efficiency: round(bound / makespan),
      taskMs: round(meanMs),
      tripMs: round(trip),
    });
  }
}

function engines(
  slots: Awaited<ReturnType<typeof processSlots>>,
  { program, inputs }: Work,
  count: number,
): Turn {
  const source = { hash: program.hash, model: () => Promise.resolve(program.model) };
  const values = program.inputs.map(({ name }) => inputs[name]!);
  return async () => {
    const started = performance.now();
    await Promise.all(
      Array.from({ length: count }, async () => {
        for (let i = 0; i < RUNS; i++) await slots.run(source, values).settled;
      }),
    );
    return (performance.now() - started) / 1000 / (count * RUNS);
  };
}

/** Milliseconds of the smallest program through the hub, less what bare ONNX Runtime takes: the way there and back. */
async function tripMs(processes: Processes): Promise<number> {
  const flock = await processes.connect();
  const work = tinyWork();
  const bare = await bareRun(work);
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < 1000; i++) {
    let started = performance.now();
    await flock.run(work.program, fresh(work));
    times[0].push(performance.now() - started);
    started = performance.now();
    await bare();
    times[1].push(performance.now() - started);
  }
  const [through, alone] = times.map((each) => median(each.slice(500))) as [number, number];
  return through - alone;
}
