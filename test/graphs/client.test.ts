// Graphs as a client uses them, with a real hub and real nodes: reading, keeping, breaks of the link, a hub that is killed.
import { describe, expect, it, type TestContext } from "vitest";
import { Flock as Client, GraphFailure, connect } from "../../dist/flock/index.node.js";
import { input, program, type Expression } from "../../dist/graph/index.js";
import { toNumbers } from "../../dist/tensor/index.js";
import { dialWith } from "../../dist/wire/socket.node.js";
import { Flock, until, type HubProcess } from "../flock.js";

type Finished = TestContext["onTestFinished"];

/** A hub and so many nodes that compute programs, all processes of their own. */
async function started(onTestFinished: Finished, nodes = 1): Promise<{ flock: Flock; hub: HubProcess }> {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  for (let i = 0; i < nodes; i++) flock.command("node", "--hub", hub.url, "--name", `worker${i}`);
  await until(
    "nodes",
    () => hub.nodes(),
    (rows) => rows.length === nodes,
  );
  return { flock, hub };
}

async function client(flock: Flock, hub: string): Promise<Client> {
  const made = await connect({ hub });
  flock.atEnd(() => made.close());
  return made;
}

const numbers = async (x: Expression) => [...toNumbers(await x.value())];

describe("a graph", () => {
  it("is computed by nodes: small and large values, many at once, and read again", async ({
    onTestFinished,
  }) => {
    const { flock, hub } = await started(onTestFinished, 2);
    const graph = (await client(flock, hub.url)).graph({ name: "test" });
    const c = graph.tensor([1, 2, 3]).add(graph.tensor([5, 22, 7]));
    expect(String(await c.value())).toBe("Tensor float32 [3] 6 24 10");
    expect(graph.progress).toEqual({ done: 1, running: 0, total: 1, failed: 0 });

    const a = graph.tensor(
      Float32Array.from({ length: 300_000 }, (_, i) => i % 7),
      { shape: [600, 500] },
    );
    const b = a.add(1).transpose([1, 0]);
    const [large, sum] = await graph.values([b, b.sum()]);
    expect(large!.shape).toEqual([500, 600]);
    expect([large!.data[0], large!.data[1]]).toEqual([1, (500 % 7) + 1]);
    expect(toNumbers(sum!)[0]).toBe(toNumbers(large!).reduce((x, y) => x + y));
    // Begins at what is with the nodes.
    expect(await numbers(b.max().sub(b.min()))).toEqual([6]);
    // A plan that cuts an operation for two nodes puts its parts together, which is an operation too.
    expect(
      Object.keys(graph.statistics())
        .filter((op) => op !== "concat")
        .sort(),
    ).toEqual(["add", "max", "min", "sub", "sum", "transpose"]);
    await graph.end();
  });

  it("of ten thousand operations sends nothing while it is built, and at most ten frames when it is read", async ({
    onTestFinished,
  }) => {
    const { flock, hub } = await started(onTestFinished);
    let frames = 0;
    const dial = dialWith({});
    const counting = await Client.start(
      { hub: hub.url },
      {
        software: "test",
        dial: (url) => {
          const socket = dial(url);
          const send = socket.send.bind(socket);
          socket.send = (bytes) => {
            // A beat is a frame of a few bytes that goes whatever happens.
            if (bytes.length > 64) frames++;
            send(bytes);
          };
          return socket;
        },
      },
    );
    flock.atEnd(() => counting.close());
    const graph = counting.graph();
    const before = frames;
    let x = graph.tensor([1, 2, 3]);
    for (let i = 0; i < 5000; i++) x = x.add(1).mul(1);
    let y = graph.tensor([0, 0, 0]);
    for (let i = 0; i < 5000; i++) y = y.add(graph.tensor([i % 3, 1, 0]));
    await new Promise((turn) => setImmediate(turn));
    expect(frames).toBe(before);
    expect(await numbers(x.add(y))).toEqual([1 + 5000 + 4999, 2 + 10_000, 3 + 5000]);
    expect(frames - before).toBeLessThanOrEqual(10);
    await graph.end();
  });

  it("computes each operation at once where it is eager", async ({ onTestFinished }) => {
    const { flock, hub } = await started(onTestFinished);
    const graph = (await client(flock, hub.url)).graph({ eager: true });
    let x = graph.tensor([1, 2]);
    for (let i = 0; i < 5; i++) x = x.mul(2);
    await until(
      "the operations",
      () => graph.progress,
      ({ done }) => done === 5,
    );
    expect(await numbers(x)).toEqual([32, 64]);
    expect(graph.progress.total).toBe(5);
    await graph.end();
  });

  it("names the operation that failed, its line and the node, at the read and at the end", async ({
    onTestFinished,
  }) => {
    const { flock, hub } = await started(onTestFinished);
    const graph = (await client(flock, hub.url)).graph({ name: "broken" });
    const places = graph.tensor([5], { dtype: "int64" });
    const wrong = graph.tensor([1, 2, 3]).add(1).take(places).mul(2);
    const error = await wrong.value().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GraphFailure);
    const [failure] = (error as GraphFailure).failures;
    expect(failure).toMatchObject({ operation: "take", code: "program_error" });
    expect(failure!.line).toMatch(/client\.test\.ts/);
    expect(failure!.node).toMatch(/^worker0/);
    expect(failure!.message).toMatch(/out of data bounds/);
    await expect(graph.end()).rejects.toThrow(
      /graph "broken": an operation failed\n {2}take at .*client\.test/,
    );
  });

  it("persists under a name, which outlasts it and a kill of the hub; names are taken once", async ({
    onTestFinished,
  }) => {
    const { flock, hub } = await started(onTestFinished);
    const near = await client(flock, hub.url);
    const graph = near.graph();
    const x = graph.tensor([1, 2, 3]).exp().log().round();
    await x.persist("kept");
    expect(await near.fetch("kept")).toEqual(await x.value());
    await expect(x.persist("kept")).rejects.toMatchObject({ code: "name_taken" });
    await graph.tensor([7]).persist("leaf");
    await graph.end();
    await hub.program.kill();
    await flock.hub({ port: hub.port });
    expect([...toNumbers(await near.fetch("kept"))]).toEqual([1, 2, 3]);
    expect([...(await near.names()).keys()]).toEqual(["kept", "leaf"]);
    await near.delete("kept");
    await expect(near.fetch("kept")).rejects.toMatchObject({ code: "unknown_name" });
    await expect(near.delete("kept")).rejects.toMatchObject({ code: "unknown_name" });
  });

  it("goes on through breaks of the link and a kill of the hub in its middle", async ({ onTestFinished }) => {
    const { flock, hub } = await started(onTestFinished, 2);
    const near = await client(flock, hub.url);
    const graph = near.graph();
    const given = Float32Array.from({ length: 40_000 }, (_, i) => Math.sin(i));
    let x = graph.tensor(given, { shape: [200, 200] });
    const start = x;
    const rounds = 12;
    for (let round = 0; round < rounds; round++) {
      x = x.matmul(start).tanh();
      const there = graph.compute(x);
      if (round === 3 || round === 6) near.drop();
      if (round === 8) {
        await hub.program.kill();
        await flock.hub({ port: hub.port });
      }
      await there;
    }
    const undisturbed = near.graph();
    let y = undisturbed.tensor(given, { shape: [200, 200] });
    const again = y;
    for (let round = 0; round < rounds; round++) y = y.matmul(again).tanh();
    const [one, other] = [await x.value(), await y.value()].map(toNumbers);
    const apart = one!.reduce((most, value, i) => Math.max(most, Math.abs(value - other![i]!)), 0);
    expect(apart).toBeLessThan(1e-4);
    await graph.end();
    await undisturbed.end();
  });
});

describe("a program", () => {
  const x = input("x", "float32", ["n"]);
  const double = program({ outputs: { y: x.mul(2), sum: x.sum() } });

  it("runs whole; what does not fit is said", async ({ onTestFinished }) => {
    const { flock, hub } = await started(onTestFinished);
    const near = await client(flock, hub.url);
    const { y, sum } = await near.run(double, { x: [1, 2, 3] });
    expect([String(y), String(sum)]).toEqual(["Tensor float32 [3] 2 4 6", "Tensor float32 [] 6"]);
    await expect(near.run(double, {})).rejects.toThrow(/input "x" has no value/);
    await expect(near.run(double, { x: [[1]] })).rejects.toThrow(/wants float32 \[n\]/);
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => near.run(double, { x: [i] })));
    expect(results.map((result) => result.y!.data[0])).toEqual(Array.from({ length: 200 }, (_, i) => 2 * i));
  });

  it("maps batches in their order, and reads no more of them than it can use", async ({ onTestFinished }) => {
    const { flock, hub } = await started(onTestFinished, 2);
    const near = await client(flock, hub.url);
    let read = 0;
    async function* batches() {
      for (; read < 1000; read++) {
        if (read % 10 === 0) await new Promise((turn) => setImmediate(turn));
        yield { x: [read, 1] };
      }
    }
    let taken = 0;
    for await (const { y } of near.map(double, batches())) {
      expect(y!.data[0]).toBe(2 * taken++);
      expect(read - taken).toBeLessThan(300);
      if (taken === 500) break;
    }
    expect(read).toBeLessThan(1000);
  });
});
