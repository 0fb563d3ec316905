// Ten thousand operations: what building them sends, and how many frames reading their value takes.
import { WebSocket } from "ws";
import { print } from "../graph/contest.js";
import { startFlock } from "./flock.js";
import { spread } from "./turns.js";

const OPERATIONS = 10_000;

export async function operations(rounds: number): Promise<void> {
  const processes = await startFlock(1);
  const flock = await processes.connect();
  const sent = countFrames();
  const built: number[] = [];
  const read: number[] = [];
  let [building, reading] = [0, 0];
  for (let turn = 0; turn <= rounds; turn++) {
    const graph = flock.graph({ name: "many" });
    let before = sent();
    let started = performance.now();
    let x = graph.tensor([turn, 1, 2]);
    for (let i = 0; i < OPERATIONS; i += 2) x = x.add(1).mul(0.5);
    const buildMs = performance.now() - started;
    building = Math.max(building, sent() - before);
    before = sent();
    started = performance.now();
    await x.value();
    const readMs = performance.now() - started;
    reading = Math.max(reading, sent() - before);
    await graph.end();
    if (turn === 0) continue;
    built.push(buildMs);
    read.push(readMs);
  }
  print({
    figure: "frames sent by building 10,000 operations",
    value: building,
    reach: 0,
    ms: spread(built),
  });
  print({
    figure: "frames sent by reading their value",
    value: reading,
    reach: 10,
    ms: spread(read),
  });
  await processes.stop();
}

/** What this process has sent on its sockets so far. */
function countFrames(): () => number {
  let frames = 0;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (this: WebSocket, ...args: Parameters<typeof send>) {
    frames++;
    return send.apply(this, args);
  } as typeof send;
  return () => frames;
}
