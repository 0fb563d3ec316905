// A short fuzz run; `npm run fuzz -- --frames 1000000` is the long one.
import { expect, it } from "vitest";
import { figure, Flock } from "../flock.js";
import { fuzz } from "./run.js";

it("twenty thousand mutated frames leave a hub alive, small and at work", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub({ args: ["--log-level", "error"] });
  await flock.worker(hub.url, { services: ["quiet"] });
  // A seed of its own each time: what fails is run again by `npm run fuzz -- --seed`.
  const seed = Math.floor(Math.random() * 2 ** 32);
  const said: string[] = [];
  const { failure, served } = await fuzz({
    hub: hub.url,
    process: hub.program.child,
    frames: 20_000,
    seed,
    every: 10_000,
    report: (line) => said.push(line),
  });
  figure("fuzz", said.join("; "));
  expect(failure, `seed ${seed}: ${said.join("; ")}`).toBeUndefined();
  expect(served).toBeGreaterThan(20);
  expect(hub.program.err.filter((line) => /a bug/.test(line))).toEqual([]);
});
