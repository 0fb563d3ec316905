// A Redis of the bench's own: on loopback, in memory, gone with the process.
import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { scratch } from "../jobs/processes.js";

export interface Redis {
  readonly url: string;
  stop(): void;
}

export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const settings = { bind: "127.0.0.1", port: String(port), save: "", appendonly: "no", dir: scratch() };
  const child = spawn(
    "redis-server",
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const stop = () => {
    process.off("exit", stop);
    child.kill();
  };
  process.once("exit", stop);
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (/Ready to accept connections/.test(line)) resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
  });
  return { url: `redis://127.0.0.1:${port}/0`, stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
