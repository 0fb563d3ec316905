// A thread beside an engine, which cannot be interrupted: it kills the process when whoever started it is gone, and when a run takes too much memory.
import { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { LIFELINE_FD, TOO_MUCH } from "./facts.node.js";

/** What the engine's thread and the watching one share. */
export interface Watched {
  /** [0]: whether a program runs. */
  readonly state: Int32Array;
  /** [0]: bytes that the process may take; 0: not known yet. [1]: what it took when it was last looked at. */
  readonly bytes: Float64Array;
}

/** A program writes at most some hundred megabytes meanwhile. */
const LOOK_MS = 40;

const { state, bytes } = workerData as Watched;
const lifeline = new Socket({ fd: LIFELINE_FD });
const die = (): void => void process.kill(process.pid, "SIGKILL");
lifeline.on("error", die).on("close", die).resume();

setInterval(() => {
  if (Atomics.load(state, 0) === 0) return;
  bytes[1] = process.memoryUsage.rss();
  const most = bytes[0]!;
  if (most > 0 && bytes[1]! > most) lifeline.write(TOO_MUCH, die);
}, LOOK_MS);
parentPort?.postMessage("watching");
