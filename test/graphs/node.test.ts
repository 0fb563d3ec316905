// Nodes that compute graphs and have bad luck: killed, short of memory, on a full disk, with programs that never end or engines
// that crash. The graph has the same result or one clear error, and the node goes on.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connect, Tensor } from "../../dist/flock/index.node.js";
import { Flock, until, type HubProcess, type Program } from "../flock.js";

type Client = Awaited<ReturnType<typeof connect>>;
type Graph = ReturnType<Client["graph"]>;
type Expression = ReturnType<Graph["tensor"]>;

/** 1 MiB of float32. */
const SIDE = 512;
const filled = (value: number, side = SIDE) =>
  new Tensor("float32", [side, side], new Float32Array(side * side).fill(value));

async function client(flock: Flock, hub: HubProcess): Promise<Client> {
  const joined = await connect({ hub: hub.url });
  flock.atEnd(() => joined.close());
  return joined;
}

/** `flock node`, ready to compute. */
async function node(flock: Flock, hub: HubProcess, ...args: string[]): Promise<Program> {
  const started = flock.command("node", "--hub", hub.url, "--slots", "1", ...args);
  await started.said(/computes programs/, 60_000);
  return started;
}

/** `steps` tasks, each of which needs the one before; all whole numbers, so that every order gives the same bits. */
function chain(graph: Graph, steps: number, start = 0): Expression {
  let x = graph.tensor(filled(start));
  for (let i = 1; i <= steps; i++) x = x.add(graph.tensor(filled(i)));
  return x;
}

/** Every element is this number. */
function expectFilled(tensor: Tensor, value: number): void {
  const data = tensor.data as Float32Array;
  expect([tensor.shape, data[0], data.every((each) => each === data[0])]).toEqual([
    [SIDE, SIDE],
    value,
    true,
  ]);
}

const sumTo = (n: number) => (n * (n + 1)) / 2;

/** The engine processes of a node. */
function enginesOf({ pid }: Program): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}

/** Programs that take about a minute. */
function long(graph: Graph): Expression {
  let x = graph.tensor(filled(1 / 2048, 2048));
  const square = x;
  for (let i = 0; i < 400; i++) x = x.matmul(square);
  return x.sum();
}

describe("a node", () => {
  it("killed in mid graph, with values that others need, changes nothing of the result", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const nodes = [await node(flock, hub), await node(flock, hub)];
    const graph = (await client(flock, hub)).graph({ eager: true });
    const ends = [chain(graph, 15, 1000), chain(graph, 15, 2000), chain(graph, 15, 3000)];
    const total = ends.reduce((sum, each) => sum.add(each));
    const result = graph.value(total);
    await until(
      "some tasks to be done",
      () => graph.progress.done,
      (done) => done >= 10,
      60_000,
    );
    await nodes[0]!.kill();
    expectFilled(await result, 6000 + 3 * sumTo(15));
    await graph.end();
  });

  it("spills what it holds when memory is short, and takes it away when it leaves", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const spill = join(flock.folder, "spill");
    const started = await node(flock, hub, "--memory", "4", "--spill", spill);
    const graph = (await client(flock, hub)).graph({ eager: true });
    const held = Array.from({ length: 12 }, (_, i) => graph.tensor(filled(i)).add(graph.tensor(filled(100))));
    for (const [i, x] of held.entries()) expectFilled(await graph.value(x), 100 + i);
    expect(readdirSync(spill).flatMap((folder) => readdirSync(join(spill, folder))).length).toBeGreaterThan(
      4,
    );
    // All of them once more, from where they lie.
    expectFilled(await graph.value(held.reduce((sum, x) => sum.add(x))), 1200 + sumTo(11));
    await graph.end();
    started.signal("SIGTERM");
    expect(await started.ended).toBe(0);
    expect(readdirSync(spill)).toEqual([]);
  });

  it("too small for a value says so, and computes what is smaller", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    await node(flock, hub, "--memory", "1");
    const joined = await client(flock, hub);
    const large = joined.graph({ name: "large" });
    const y = large.tensor(filled(1, 1024)).add(large.tensor(filled(2, 1024)));
    await expect(large.value(y)).rejects.toThrow(/memory/);
    await large.end().catch(() => undefined);
    const small = joined.graph();
    expect((await small.value(small.tensor(filled(1, 128)).add(1).sum())).data[0]).toBe(2 * 128 * 128);
    await small.end();
  });

  it("kills a program that takes too long, and computes the next", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const started = await node(flock, hub);
    const joined = await client(flock, hub);
    const slow = joined.graph({ timeoutMs: 300 });
    await expect(slow.value(long(slow))).rejects.toThrow(/300 ms/);
    await slow.end().catch(() => undefined);
    const quick = joined.graph();
    expectFilled(await quick.value(chain(quick, 3)), 6);
    await quick.end();
    expect(started.err).toEqual([]);
  });

  it("whose engine crashes loses the attempt, not itself", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const started = await node(flock, hub);
    const graph = (await client(flock, hub)).graph({ eager: true });
    const result = graph.value(chain(graph, 50));
    await until(
      "some tasks to be done",
      () => graph.progress.done,
      (done) => done >= 10,
      60_000,
    );
    for (const pid of enginesOf(started)) process.kill(pid, "SIGSEGV");
    expectFilled(await result, sumTo(50));
    await graph.end();
  });
});

function mountable(): boolean {
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

const disks = mountable();
if (!disks) process.stderr.write("skipped: a node whose spill is on a full disk (only root may mount one)\n");

describe.skipIf(!disks)("a node whose disk is full", () => {
  it("fails what needs room with a clear error, and computes the rest", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const spill = join(flock.folder, "disk");
    mkdirSync(spill);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", spill]);
    flock.atEnd(() => void execFileSync("umount", ["--lazy", spill]));
    await node(flock, hub, "--memory", "4", "--spill", spill);
    const joined = await client(flock, hub);
    const greedy = joined.graph({ eager: true });
    const held = Array.from({ length: 12 }, (_, i) =>
      greedy.tensor(filled(i)).add(greedy.tensor(filled(100))),
    );
    await expect(Promise.all(held.map((x) => greedy.value(x)))).rejects.toThrow(/disk is full/);
    await greedy.end().catch(() => undefined);
    const modest = joined.graph();
    expectFilled(await modest.value(chain(modest, 1)), 1);
    await modest.end();
  });
});
