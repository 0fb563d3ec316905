// Floors: bytes to another process and back, with nothing done to them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { print, round } from "../graph/contest.js";

const ECHO = fileURLToPath(new URL("./echo.mjs", import.meta.url));

export async function echoes(rounds: number): Promise<void> {
  const child = spawn(process.execPath, [ECHO], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const pipe = child.stdio[3] as Socket;
  let left = 0;
  let whole: () => void = () => undefined;
  pipe.on("data", (bytes: Buffer) => {
    left -= bytes.length;
    if (left === 0) whole();
  });
  for (const [bytes, times] of [
    [256, 1500],
    [4 * 2 ** 20, 20],
  ] as const) {
    const payload = new Uint8Array(bytes);
    let best = Infinity;
    for (let turn = 0; turn < rounds; turn++) {
      const started = performance.now();
      for (let i = 0; i < times; i++)
        await new Promise<void>((resolve) => {
          left = bytes;
          whole = resolve;
          pipe.write(payload);
        });
      best = Math.min(best, (performance.now() - started) / times);
    }
    print({ figure: "floor: a pipe there and back", bytes, us: round(best * 1000) });
  }
  pipe.destroy();
  await once(child, "exit");
}
