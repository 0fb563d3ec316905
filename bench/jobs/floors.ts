// The floors of one awaited job: what the network and `ws` cost with nothing of ours. Each server is a process of its own.
import { once } from "node:events";
import { connect } from "node:net";
import { WebSocket } from "ws";
import { startScript } from "./processes.js";
import { quantiles, type Quantiles } from "./statistics.js";

const BYTES = 200;

/** Median round trip of `BYTES` bytes over a bare TCP echo, in milliseconds. */
export async function tcpEcho(rounds: number): Promise<Quantiles> {
  const server = await startScript(new URL("./floor-tcp.mjs", import.meta.url));
  const socket = connect({ port: Number(server.line), host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const trip = async () => {
    socket.write(Buffer.alloc(BYTES));
    for (let got = 0; got < BYTES;) got += ((await once(socket, "data")) as [Buffer])[0].length;
  };
  const result = await time(rounds, trip);
  socket.destroy();
  server.kill();
  return result;
}

/** Median round trip over a bare `ws` echo. */
export async function wsEcho(rounds: number): Promise<Quantiles> {
  const server = await startScript(new URL("./floor-ws.mjs", import.meta.url), "echo");
  const result = await timeSocket(Number(server.line), rounds);
  server.kill();
  return result;
}

/** Median round trip through a bare `ws` relay to a bare `ws` echo and back: the two hops every job takes. */
export async function wsTwoHops(rounds: number): Promise<Quantiles> {
  const relay = await startScript(new URL("./floor-ws.mjs", import.meta.url), "relay");
  const node = await startScript(new URL("./floor-ws.mjs", import.meta.url), "node", relay.line);
  const result = await timeSocket(Number(relay.line), rounds);
  node.kill();
  relay.kill();
  return result;
}

async function timeSocket(port: number, rounds: number): Promise<Quantiles> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/client`, { perMessageDeflate: false });
  await once(socket, "open");
  const trip = async () => {
    socket.send(Buffer.alloc(BYTES));
    await once(socket, "message");
  };
  const result = await time(rounds, trip);
  socket.terminate();
  return result;
}

/** Times `trip`, one at a time, after as many that do not count: the compilers of four processes are through by then. */
export async function time(rounds: number, trip: () => Promise<unknown>): Promise<Quantiles> {
  for (let i = 0; i < rounds; i++) await trip();
  const samples = new Float64Array(rounds);
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await trip();
    samples[i] = performance.now() - start;
  }
  return quantiles(samples);
}
