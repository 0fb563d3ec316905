// What the same bytes cost over bare `ws`, through a relay that looks at nothing: the floor beside which streams are read.
import { once } from "node:events";
import { WebSocket } from "ws";
import { startScript } from "../jobs/processes.js";

const CHUNK_BYTES = 256 * 1024;
const script = new URL("./floor.mjs", import.meta.url);

/** MB/s of each round of `bytes` bytes through a relay to a third process. */
export async function relayed(bytes: number, rounds: number): Promise<Float64Array> {
  const relay = await startScript(script, "relay");
  const sink = await startScript(script, "sink", relay.line, String(bytes));
  const socket = new WebSocket(`ws://127.0.0.1:${relay.line}/source`, {
    perMessageDeflate: false,
    generateMask: (mask) => mask.fill(0),
  });
  await once(socket, "open");
  const whole = new Uint8Array(bytes).fill(7);
  const rates = new Float64Array(rounds);
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let at = 0; at < bytes; at += CHUNK_BYTES) {
      const chunk = whole.subarray(at, at + CHUNK_BYTES);
      if (socket.bufferedAmount < 4 * CHUNK_BYTES) socket.send(chunk);
      else await new Promise((resolve) => socket.send(chunk, resolve));
    }
    await once(socket, "message");
    rates[round] = bytes / 1e6 / ((performance.now() - start) / 1000);
  }
  socket.terminate();
  sink.kill();
  relay.kill();
  return rates;
}
