// The smallest program: what it costs to have it run by an engine process, and by a node of a flock.
import { processSlots } from "../../dist/engine/process/process-slots.node.js";
import { wsTwoHops } from "../jobs/floors.js";
import { median, print, round } from "../graph/contest.js";
import { startFlock } from "./flock.js";
import { mapped } from "./mapped.js";
import { bareRun, fresh, tinyWork } from "./programs.js";
import { spread } from "./turns.js";

const TRIPS = 1000;
const PIPELINED = 5_000;

export async function tiny(rounds: number): Promise<void> {
  await inEngineProcess(rounds);
  const processes = await startFlock(1);
  const flock = await processes.connect();
  const work = tinyWork();
  const floor = await wsTwoHops(TRIPS);
  const trips: number[] = [];
  for (let i = 0; i < 2 * TRIPS; i++) {
    const inputs = fresh(work);
    const started = performance.now();
    await flock.run(work.program, inputs);
    if (i >= TRIPS) trips.push((performance.now() - started) * 1000);
  }
  print({
    figure: "tiny program through the hub, one at a time, us",
    value: spread(trips),
    floor: round(floor.p50 * 1000),
    floorIs: "two WebSocket hops there and back",
  });
  const rates: number[] = [];
  for (let turn = 0; turn <= rounds; turn++) {
    const rate = 1 / (await mapped(flock, work, PIPELINED));
    if (turn > 0) rates.push(rate);
  }
  print({ figure: "tiny programs pipelined, a second a slot", value: spread(rates), reach: 5000 });
  await processes.stop();
}

/** From asking an engine process to having its answer, beside bare ONNX Runtime in this process, run by run in turn. */
async function inEngineProcess(rounds: number): Promise<void> {
  const slots = await processSlots({ slots: 1, threads: 1 });
  const { program, inputs } = tinyWork();
  const bare = await bareRun({ program, inputs });
  const source = { hash: program.hash, model: () => Promise.resolve(program.model) };
  const values = program.inputs.map(({ name }) => inputs[name]!);
  const over: number[] = [];
  const alone: number[] = [];
  for (let turn = 0; turn <= rounds; turn++) {
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < TRIPS; i++) {
      let started = performance.now();
      await bare();
      times[0].push((performance.now() - started) * 1000);
      started = performance.now();
      await slots.run(source, values).settled;
      times[1].push((performance.now() - started) * 1000);
    }
    if (turn === 0) continue;
    const [of, through] = times.map((each) => median(each)) as [number, number];
    alone.push(of);
    over.push(through - of);
  }
  print({
    figure: "tiny program: engine process over bare, us",
    value: spread(over),
    reach: 30,
    bare: spread(alone),
  });
  await slots.close();
}
