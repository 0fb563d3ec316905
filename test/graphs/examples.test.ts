// The examples, as people run them, on small sizes: `flockwork run` with a hub and two nodes.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Flock, until } from "../flock.js";

const EXAMPLES: readonly (readonly [name: string, args: readonly string[], says: readonly RegExp[]])[] = [
  ["add", [], [/Tensor float32 \[3\] 6 24 10/, /done: 1, running: 0, total: 1, failed: 0/]],
  ["ten-thousand", ["10000"], [/\d+ tasks for 2 nodes/, /done: \d{4,}, running: 0/]],
  ["k-means", ["3000", "5"], [/Tensor float32 \[3,2\]/, /mean squared distance 0\.9\d\d|mean squared distance 1\.0/]],
  ["k-nearest-neighbours", ["600", "60"], [/60 of 60 right/]],
  ["linear-regression", ["500", "61"], [/weights 2\.0\d -1\.0\d 0\.5\d 3\.0\d|weights 2\.00 -1\.00 0\.50 3\.00/]],
  ["logistic-regression", ["300", "8"], [/accuracy (0\.9\d\d|1\.000)/]],
]; // prettier-ignore

describe("examples", () => {
  let flock: Flock;
  let hub: string;
  let over!: () => Promise<void>;
  beforeAll(async () => {
    flock = new Flock((end) => (over = end));
    const started = await flock.hub();
    hub = started.url;
    for (const name of ["one", "two"]) flock.command("node", "--hub", hub, "--name", name);
    await until(
      "two nodes",
      () => started.nodes(),
      (rows) => rows.length === 2,
    );
  });
  afterAll(() => over());

  for (const [name, args, says] of EXAMPLES)
    it(name, async () => {
      const script = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
      const run = flock.command("run", "--hub", hub, script, ...args);
      expect(await run.ended, run.err.join("\n")).toBe(0);
      const out = run.out.join("\n");
      for (const pattern of says) expect(out).toMatch(pattern);
    });
});
