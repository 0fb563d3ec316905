// The inside of an engine process: reads frames, runs programs, writes frames. process-place.node.ts starts it.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { align, decodeFrame } from "../../wire/frame.js";
import type { FromEngine } from "../dialogue.js";
import { Sessions } from "../sessions.js";
import { startEngine } from "../start-engine.node.js";
import {
  LANES_FD,
  PIPE_FD,
  type EngineProcessOptions,
  type FromProcess,
  type ToProcess,
} from "./facts.node.js";
import { framePieces } from "./frames.node.js";
import { fromLane, intoLane, Scratch } from "./lanes.node.js";
import { BlockingPipe } from "./pipe.node.js";
import type { Watched } from "./watch.node.js";

const options = JSON.parse(process.argv[2]!) as EngineProcessOptions;
const pipe = new BlockingPipe(PIPE_FD);
const watched: Watched = {
  state: new Int32Array(new SharedArrayBuffer(4)),
  bytes: new Float64Array(new SharedArrayBuffer(16)),
};

function answer(message: FromEngine, lane?: number): void {
  if (message.t !== "ran") {
    pipe.write(framePieces([message], 0));
    return;
  }
  const lengths = lane === undefined ? undefined : intoLane(LANES_FD + lane, message.data);
  const sent: FromProcess = lengths ? { ...message, data: [], lengths } : message;
  pipe.write(framePieces([sent], lengths ? 0 : message.data.reduce((sum, { length }) => sum + length, 0)));
}

const scratch = new Scratch();

/** Its tensors are there until the next run's. */
function received(message: ToProcess): ToProcess {
  if (message.t !== "run" || !message.lengths) return message;
  scratch.reset(message.lengths.reduce((sum, length) => sum + align(length), 0));
  return { ...message, data: fromLane(LANES_FD + message.lane!, message.lengths, scratch.take) };
}

/** Of the growth: what needs less is not worth looking anew how large the process is. */
const LITTLE = 1 / 64;

/** What an engine takes for a byte that `check` counts. */
const FACTOR = Math.max(1, options.growth / options.memory);

/** Whether a program that needs `bytes` stays below what would have it killed. The first one always may try. */
let ran = false;
function hasRoom(bytes: number): boolean {
  if (!ran || bytes > LITTLE * options.growth) watched.bytes[1] = process.memoryUsage.rss();
  const fits = !ran || watched.bytes[1]! + FACTOR * bytes < watched.bytes[0]!;
  ran = true;
  return fits;
}

/** Where the system runs out of memory, it should take this process and not another. */
function goFirst(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not Linux.
  }
}

async function serve(): Promise<void> {
  goFirst();
  const watch = new Worker(new URL("./watch.node.js", import.meta.url), { workerData: watched });
  await once(watch, "message");
  const { engine, facts } = await startEngine(options);
  const sessions = new Sessions(engine, { memory: options.memory, hasRoom });
  watched.bytes[1] = process.memoryUsage.rss();
  watched.bytes[0] = watched.bytes[1] + options.growth;
  answer({ t: "ready", facts });
  for (let frame = pipe.read(); frame; frame = pipe.read()) {
    Atomics.store(watched.state, 0, 1);
    for (const message of decodeFrame(frame) as ToProcess[]) {
      const answered = await sessions.handle(received(message));
      if (answered) answer(answered, message.lane);
    }
    Atomics.store(watched.state, 0, 0);
  }
}

serve().then(
  () => process.exit(0),
  (error: unknown) => {
    answer({ t: "unfit", message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
