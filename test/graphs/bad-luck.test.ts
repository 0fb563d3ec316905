// Hubs and clients that are killed, nodes that are slow, programs that should not run: the graph has the same result, or one
// clear error, and the nodes go on.
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { input, program } from "../../dist/graph/index.js";
import { loops } from "../../src/graph/check/corpus/loops.js";
import { figure, Flock, freePort, until } from "../flock.js";
import { client, computing, matrix, stored, type Expression, type Graph } from "./fleet.js";

const HUB = fileURLToPath(new URL("../net/hub.mjs", import.meta.url));
const CLIENT = fileURLToPath(new URL("./client.mjs", import.meta.url));

it("a hub killed in mid graph: the next one finds what nodes hold, and the result is the same", async ({
  onTestFinished,
}) => {
  const flock = new Flock(onTestFinished);
  const port = await freePort();
  const first = await flock.hub({ port });
  await Promise.all(["a", "b"].map((name) => computing(flock, first, { name })));
  const graph = (await client(flock, first)).graph({ eager: true });
  const [chains, steps] = [3, 40];
  const ends = Array.from({ length: chains }, (_, start) => {
    let x = graph.tensor(matrix(80, 120, () => start));
    for (let i = 1; i <= steps; i++) x = x.add(graph.tensor(matrix(80, 120, () => i)));
    return x;
  });
  const total = chains * (steps + 1) - 1;
  const result = graph.value(ends.reduce((sum, x) => sum.add(x)));
  await until(
    "half of it to be done",
    () => graph.progress.done,
    (done) => done >= total / 2,
  );
  await first.program.kill();
  const before = graph.progress.done;
  const from = performance.now();
  const second = await flock.hub({ port });
  const expected = 0 + 1 + 2 + (chains * steps * (steps + 1)) / 2;
  expect(((await result).data as Float32Array).every((value) => value === expected)).toBe(true);
  const solved = (await second.nodes()).reduce((sum, node) => sum + node.solved, 0);
  figure("tasks that ran a second time after a hub's restart", `${solved - (total - before)} of ${before}`);
  figure("a hub's restart to the end of the graph", `${Math.round(performance.now() - from)} ms`);
  expect(solved).toBeLessThan(total);
  await graph.end();
});

it("a client killed: its values go from the nodes", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = flock.script(HUB, JSON.stringify({ limits: { graphAwayMs: 500 } }));
  const url = (await hub.said(/^listens on /)).slice("listens on ".length);
  const node = await computing(flock, { url });
  const doomed = flock.script(CLIENT, JSON.stringify({ hub: url, does: "holds" }));
  await doomed.said(/^computed/);
  expect(await stored(node)).toBeGreaterThan(0);
  await doomed.kill();
  await until(
    "its values to be gone",
    () => stored(node),
    (count) => count === 0,
  );
});

it("a node ten times slower than its benchmark says does little of the work", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub({ ephemeral: true });
  const [quick, slow] = await Promise.all([
    computing(flock, hub, { name: "quick" }),
    computing(flock, hub, { name: "slow", slower: 10 }),
  ]);
  const graph = (await client(flock, hub)).graph({ eager: true });
  const a = graph.tensor(matrix(256, 256, (i) => i % 3));
  const products = Array.from({ length: 60 }, (_, i) =>
    a.matmul(graph.tensor(matrix(256, 256, () => i))).max(),
  );
  const from = performance.now();
  const values = await graph.values(products);
  figure(
    "60 products by two nodes, one 10 times slower than it says",
    `${Math.round(performance.now() - from)} ms`,
  );
  values.forEach(({ data }, i) => expect(data[0]).toBe(i * Number(values[1]!.data[0])));
  await graph.end();
  const solved = new Map((await hub.nodes()).map(({ id, solved }) => [id, solved]));
  figure("tasks of the quick and of the slow node", `${solved.get(quick.id)} and ${solved.get(slow.id)}`);
  expect(solved.get(quick.id)).toBeGreaterThan(solved.get(slow.id)!);
});

it("programs that fail, never end or eat memory end in one clear error, and the node goes on", async ({
  onTestFinished,
}) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub({ ephemeral: true });
  const node = await computing(flock, hub, { engine: { memoryMb: 128 } });

  const failing = flock.script(CLIENT, JSON.stringify({ hub: hub.url, does: "fails" }));
  const failure = JSON.parse((await failing.said(/^failed /)).slice("failed ".length)) as Record<
    string,
    string
  >;
  expect(failure).toMatchObject({ operation: "take", code: "program_error", node: node.id });
  expect(failure.line).toMatch(/client\.mjs:\d+/);
  await failing.said(/^sum 9$/);

  const own = await client(flock, hub);
  // A loop of 10^15 rounds, which no client of ours would send.
  const [, loop] = loops.find(([name]) => name === "a loop of 10^15 rounds")!;
  const p = program({ outputs: { y: input("x", "float32", [2]).relu() } });
  const model = loop();
  const hash = createHash("sha256").update(model).digest("hex");
  Object.defineProperties(p, { model: { value: model }, hash: { value: hash } });
  await expect(own.run(p, { x: [1, 2] })).rejects.toMatchObject({
    failures: [{ code: "program_refused", message: expect.stringContaining("operators") as string }],
  });

  const greedy = own.graph({ name: "greedy" });
  await expect(greedy.value(eats(greedy))).rejects.toThrow(/memory/);
  await expect(greedy.end()).rejects.toThrow(/greedy/);

  const modest = own.graph();
  expect((await modest.value(modest.tensor([1, 2, 3]).add(1).sum())).data[0]).toBe(9);
  await modest.end();
});

/** Needs a gigabyte in the engine, and a few kilobytes to be asked for. */
function eats(graph: Graph): Expression {
  const x = graph.tensor(matrix(8192, 1, () => 1)).add(graph.tensor(matrix(1, 8192, () => 1)));
  return x.sin().matmul(x.cos()).add(x).max();
}
