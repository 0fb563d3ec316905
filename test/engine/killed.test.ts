// Engines that crash, hang, eat memory or lose their parent: a run is lost at most, and nothing stays behind.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { input, program, type Expression } from "../../src/graph/index.js";
import { Tensor } from "../../src/tensor/index.js";
import {
  adds,
  alive,
  columnAndRow,
  computes,
  Counted,
  endless,
  enginePids,
  ones,
  open,
  openTight,
  until,
} from "./engines.js";

it.each([["SIGSEGV"], ["SIGABRT"], ["SIGKILL"]] as const)(
  "an engine that dies of %s costs its run",
  async (signal) => {
    const slots = await open(onTestFinished, { slots: 2 });
    const doomed = slots.run(endless(), columnAndRow);
    const [pid] = enginePids();
    await computes(pid!);
    // The other slot's engine, and what waits behind the doomed one.
    const others = Array.from({ length: 4 }, (_, i) => slots.run(adds(i), [ones]));
    process.kill(pid!, signal);
    await expect(doomed.settled).rejects.toMatchObject({
      code: "engine_crashed",
      retry: true,
      message: expect.stringContaining(signal) as string,
    });
    for (const [i, { settled }] of others.entries()) expect((await settled).outputs[0]!.data[0]).toBe(1 + i);
    expect(alive(pid!)).toBe(false);
  },
);

it("a run that does not end is killed at once, and what waits behind it is not lost", async () => {
  const slots = await open(onTestFinished);
  const first = slots.run(adds(1), [ones]);
  const hung = slots.run(endless(), columnAndRow);
  await first.settled;
  const [pid] = enginePids();
  const next = adds(2);
  const waiting = slots.run(next, [ones]);
  const unwanted = slots.run(next, [ones]);
  let heard = false;
  void unwanted.settled.then(() => (heard = true));
  await computes(pid!);
  unwanted.kill();
  hung.kill();
  hung.kill();
  expect((await waiting.settled).outputs[0]!.data[0]).toBe(3);
  await until(() => !alive(pid!), "the engine to end");
  expect((await slots.run(next, [ones]).settled).outputs[0]!.data[0]).toBe(3);
  expect(heard).toBe(false);
  // Killing what is over does nothing.
  waiting.kill();
  expect((await slots.run(next, [ones]).settled).outputs[0]!.data[0]).toBe(3);
});

it("a run that waits for its turn in the engine can be killed too, when that has come", async () => {
  const slots = await open(onTestFinished);
  const source = endless();
  const [first, second, third] = [source, source, adds(1)].map((each) =>
    slots.run(each, each === source ? columnAndRow : [ones]),
  );
  const [pid] = enginePids();
  await computes(pid!);
  second!.kill();
  first!.kill();
  expect((await third!.settled).outputs[0]!.data[0]).toBe(2);
});

it("a run that takes too much memory is killed, and no other", async () => {
  const slots = await openTight(onTestFinished, 96 * 2 ** 20);
  const x = outer(8192);
  let y = x;
  for (let i = 0; i < 100; i++) y = y.sin().add(x);
  const eater = new Counted(program({ outputs: { y: y.max() } }));
  const eating = slots.run(eater, columnAndRowOf(8192));
  const after = slots.run(adds(3), [ones]);
  await expect(eating.settled).rejects.toMatchObject({
    code: "out_of_memory",
    retry: true,
    message: expect.stringContaining("96 MiB") as string,
  });
  expect((await after.settled).outputs[0]!.data[0]).toBe(4);
});

/** A matrix of `side` x `side`, made in the engine. */
function outer(side: number): Expression {
  return input("column", "float32", [side, 1]).add(input("row", "float32", [1, side]));
}

function columnAndRowOf(side: number): Tensor[] {
  return [
    [side, 1],
    [1, side],
  ].map((shape) => new Tensor("float32", shape, new Float32Array(side).fill(1)));
}

it("programs that need most of the memory have it one after the other, whatever earlier ones keep of it", async () => {
  // Of 256 MiB each needs 120, and its session keeps as much for the next run.
  const slots = await open(onTestFinished, { memoryMb: 256 });
  const sides = [3200, 3201, 3202, 3203, 3204, 3205];
  const sources = sides.map((side) => {
    const x = outer(side);
    return new Counted(program({ outputs: { y: x.sin().add(x).max() } }));
  });
  // One by one; then all at once, when a new engine is what makes room.
  for (const together of [false, true]) {
    const results = [];
    for (const [i, side] of sides.entries()) {
      const { settled } = slots.run(sources[i]!, columnAndRowOf(side));
      results.push(settled);
      if (!together) await settled;
    }
    for (const { outputs } of await Promise.all(results))
      expect(outputs[0]!.data[0]).toBeCloseTo(Math.sin(2) + 2, 5);
  }
  for (const { asked } of sources) expect(asked).toBeGreaterThan(1);
});

const HOLDER = fileURLToPath(new URL("./holder.mjs", import.meta.url));

it.each([["idle"], ["busy"]])("no engine outlives a parent that is killed (%s)", async (how) => {
  const holder = spawn(process.execPath, [HOLDER, how], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void holder.kill("SIGKILL"));
  const lines = createInterface({ input: holder.stdout });
  const [line] = (await once(lines, "line")) as [string];
  const pid = Number(line);
  expect(alive(pid)).toBe(true);
  if (how === "busy") await computes(pid);
  holder.kill("SIGKILL");
  await until(() => !alive(pid), "the orphan to end");
});
