// The inside of an engine process: reads frames, runs programs, writes frames. process-place.node.ts starts it.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { decodeFrame } from "../../wire/frame.js";
import type { FromEngine, ToEngine } from "../dialogue.js";
import { Sessions } from "../sessions.js";
import { startEngine } from "../start-engine.node.js";
import { PIPE_FD, type EngineProcessOptions } from "./facts.node.js";
import { framePieces } from "./frames.node.js";
import { BlockingPipe } from "./pipe.node.js";
import type { Watched } from "./watch.node.js";

const options = JSON.parse(process.argv[2]!) as EngineProcessOptions;
const pipe = new BlockingPipe(PIPE_FD);
const watched: Watched = {
  state: new Int32Array(new SharedArrayBuffer(4)),
  bytes: new Float64Array(new SharedArrayBuffer(16)),
};

function answer(message: FromEngine): void {
  const bytes = "data" in message ? message.data.reduce((sum, { length }) => sum + length, 0) : 0;
  pipe.write(framePieces([message], bytes));
}

/** Whether a program that needs `bytes` stays below what would have it killed. The first one always may try. */
let ran = false;
function hasRoom(bytes: number): boolean {
  const first = !ran;
  ran = true;
  const most = watched.bytes[0]! - bytes;
  return first || watched.bytes[1]! < most || (watched.bytes[1] = process.memoryUsage.rss()) < most;
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
    for (const message of decodeFrame(frame) as ToEngine[]) {
      const answered = await sessions.handle(message);
      if (answered) answer(answered);
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
