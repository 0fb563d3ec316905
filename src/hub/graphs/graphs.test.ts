// Graphs at a whole hub: clients and nodes are links that speak the protocol by hand.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Flock, GRAPH, MODEL, PROGRAM, spec, tensor, type TestPeer } from "./peers.testing.js";

let flock: Flock;
beforeEach(async () => {
  flock = new Flock();
  await flock.start();
});
afterEach(() => flock.end());

const LARGE = 100_000;
/** Element by element, an assertion takes seconds. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe("tasks", () => {
  it("go to a node with their small inputs, and come back with their small outputs", async () => {
    const client = await flock.client();
    const node = await flock.node("n.00.00.00.01");
    client.give([tensor(3, 1), tensor(3, 2)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0, 1], 2), spec([[0, 1], 0])] });
    client.say({ t: "want", graph: GRAPH, outputs: [[1, 0]] });

    const first = await node.next("compute");
    expect(first.list).toHaveLength(1);
    expect(first.list[0]).toMatchObject({ attempt: 1, program: PROGRAM });
    expect(first.names).toEqual(first.list[0]!.inputs.map(({ name }) => name));
    expect(same(await node.fetch({ program: PROGRAM }), MODEL)).toBe(true);
    node.answer(first.list[0]!, [tensor(3, 3), tensor(3, 4)]);

    const second = await node.next("compute");
    expect(second.list[0]!.inputs[0]!.name).toBe(first.list[0]!.outputs[1]);
    node.answer(second.list[0]!, [tensor(3, 5)]);
    const value = await client.next("value");
    expect(value).toMatchObject({ output: [1, 0], bytes: tensor(3).length });
    expect(new Uint8Array(value.data!)).toEqual(tensor(3, 5));
    const done = await client.next("done");
    expect([...done.tasks]).toEqual([0]);
    expect(done.nodes).toEqual(["n.00.00.00.01"]);
  });

  it("large values pass from the client to a node, from node to node, and to the client", async () => {
    const client = await flock.client();
    const [a, b] = [await flock.node("a.00.00.00.01"), await flock.node("b.00.00.00.01")];
    const large = tensor(LARGE, 7);
    client.give([large, tensor(1)], [[0, large.length]]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0]), spec([1])] });
    const [one, two] = [await a.next("compute"), await b.next("compute")];
    const [holder, other] = one.list[0]!.inputs[0]!.bytes > 1000 ? [a, b] : [b, a];
    const [big, little] = holder === a ? [one.list[0]!, two.list[0]!] : [two.list[0]!, one.list[0]!];
    expect(same(await holder.fetch({ value: big.inputs[0]!.name }), large)).toBe(true);
    const made = tensor(LARGE, 8);
    holder.answer(big, [made]);
    // The other node is busy with the little task until the large value is there.
    client.say({ t: "tasks", graph: GRAPH, first: 2, list: [spec([[0, 0]]), spec([[0, 0]])] });
    other.answer(little, [tensor(1)]);
    const [own, moved] = [await holder.next("compute"), await other.next("compute")];
    expect(own.list[0]!.inputs[0]!.name).toBe(moved.list[0]!.inputs[0]!.name);
    expect(same(await other.fetch({ value: moved.list[0]!.inputs[0]!.name }), made)).toBe(true);
    client.say({ t: "want", graph: GRAPH, outputs: [[0, 0]] });
    expect(await client.next("value")).toEqual({
      ...{ t: "value", graph: GRAPH, output: [0, 0], bytes: made.length },
    });
    expect(same(await client.fetch({ graph: GRAPH, output: [0, 0] }), made)).toBe(true);
  });

  it("are computed again where their value has gone with its node, also for a client that reads", async () => {
    const client = await flock.client();
    const a = await flock.node("a.00.00.00.01");
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0])] });
    client.say({ t: "want", graph: GRAPH, outputs: [[0, 0]] });
    const { list } = await a.next("compute");
    const made = tensor(LARGE, 9);
    a.answer(list[0]!, [made]);
    await client.next("value");
    await a.link.close();
    const read = client.fetch({ graph: GRAPH, output: [0, 0] });
    const b = await flock.node("b.00.00.00.01");
    const again = await b.next("compute");
    expect(again.list[0]).toMatchObject({ task: list[0]!.task, attempt: 2 });
    b.answer(again.list[0]!, [made]);
    expect(same(await read, made)).toBe(true);
  });

  it("that cannot be are refused one by one, and what needs them fails", async () => {
    const client = await flock.client();
    client.give([tensor(1)]);
    client.say({
      t: "tasks",
      graph: GRAPH,
      first: 0,
      list: [spec([9]), { ...spec([0]), program: "00".repeat(32) }, spec([[2, 0]])],
    });
    const told = [await client.next("undone"), await client.next("undone"), await client.next("undone")];
    expect(told.map(({ task, code }) => [task, code])).toEqual([
      [0, "bad_argument"],
      [1, "bad_argument"],
      [2, "bad_argument"],
    ]);
    expect(told[0]!.message).toContain("given value 9");
  });

  it("answers that do not fit their task are the node's fault, and the task is tried elsewhere", async () => {
    const client = await flock.client();
    const [a, b] = [await flock.node("a.00.00.00.01"), await flock.node("b.00.00.00.01")];
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0], 2)] });
    const [liar, honest] = await Promise.race([
      a.next("compute").then((m) => [{ node: a, m }, b] as const),
      b.next("compute").then((m) => [{ node: b, m }, a] as const),
    ]);
    liar.node.answer(liar.m.list[0]!, [tensor(1)]);
    const second = await honest.next("compute");
    honest.answer(second.list[0]!, [tensor(1), tensor(1)]);
    expect((await client.next("done")).tasks).toHaveLength(1);
  });
});

describe("a graph's end", () => {
  it("stops what runs, and its values go", async () => {
    const client = await flock.client();
    const a = await flock.node("a.00.00.00.01", undefined, { slots: 2, window: 2 });
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0]), spec([0])] });
    const all = [...(await a.next("compute")).list];
    while (all.length < 2) all.push(...(await a.next("compute")).list);
    a.answer(all[0]!, [tensor(LARGE)]);
    await client.next("done");
    client.say({ t: "finish", graph: GRAPH });
    expect([...(await a.next("stop")).tasks]).toEqual([all[1]!.task]);
    expect((await a.next("drop")).names).toEqual([all[0]!.outputs[0]]);
    await client.next("ended");
  });

  it("comes by itself when its client says goodbye", async () => {
    const client = await flock.client();
    const a = await flock.node("a.00.00.00.01");
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0])] });
    const { list } = await a.next("compute");
    a.answer(list[0]!, [tensor(LARGE)]);
    await client.next("done");
    await client.link.close();
    expect((await a.next("drop")).names).toEqual([list[0]!.outputs[0]]);
  });

  it("a value that is released goes from its node, once nothing needs it", async () => {
    const client = await flock.client();
    const a = await flock.node("a.00.00.00.01");
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0]), spec([[0, 0]])] });
    client.say({ t: "release", graph: GRAPH, outputs: [[0, 0]] });
    const first = await a.next("compute");
    a.answer(first.list[0]!, [tensor(LARGE)]);
    const second = await a.next("compute");
    a.answer(second.list[0]!, [tensor(1)]);
    expect((await a.next("drop")).names).toEqual(first.list[0]!.outputs);
  });
});

describe("kept values", () => {
  const folder = mkdtempSync(join(tmpdir(), "flockwork-kept-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("outlast their graph, their node and their hub, until they are deleted", async () => {
    const options = { dataDir: folder };
    await flock.end();
    await flock.start(options);
    let client = await flock.client();
    const a = await flock.node("a.00.00.00.01");
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0]), spec([0])] });
    client.say({ t: "persist", graph: GRAPH, output: [0, 0], name: "weights/1" });
    client.say({ t: "persist", graph: GRAPH, output: [1, 0], name: "weights/1" });
    expect(await client.next("persisted")).toMatchObject({ name: "weights/1", code: "name_taken" });
    const { list } = await a.next("compute");
    const made = new Uint8Array(Float32Array.from({ length: LARGE }, (_, i) => i).buffer);
    a.answer(list[0]!, [made]);
    expect(await client.next("persisted")).toEqual({
      ...{ t: "persisted", graph: GRAPH, name: "weights/1", bytes: made.length },
    });
    expect(same(await client.fetch({ persisted: "weights/1" }), made)).toBe(true);

    await flock.end();
    await flock.start(options);
    client = await flock.client(undefined, "other.00.00.00.02");
    expect(same(await client.fetch({ persisted: "weights/1" }), made)).toBe(true);
    client.say({ t: "kept_names", request: 1, delete: "weights/1" });
    expect(await client.next("names")).toEqual({ t: "names", request: 1, names: [] });
    await expect(client.fetch({ persisted: "weights/1" })).rejects.toMatchObject({ code: "unknown_name" });
  });
});

describe("a hub that was restarted", () => {
  it("finds what nodes hold when the graph is sent again, and computes only the rest", async () => {
    const { port } = flock.hub;
    const client = await flock.client();
    const a = await flock.node("a.00.00.00.01");
    const graph = () => {
      client.give([tensor(1)]);
      client.say({ t: "tasks", graph: GRAPH, first: 0, list: [spec([0]), spec([[0, 0]])] });
    };
    graph();
    const { list } = await a.next("compute");
    const made = tensor(LARGE, 5);
    a.answer(list[0]!, [made]);
    await a.next("compute");
    await a.link.close();
    await flock.hub.close();

    const name = Buffer.from(list[0]!.outputs[0]!, "hex");
    await flock.start({ port });
    const back = await flock.node("a.00.00.00.02", undefined, {
      values: { names: new Uint8Array(name), bytes: Float64Array.of(made.length) },
    });
    await client.ups(2);
    graph();
    const rest = await back.next("compute");
    expect(rest.list.map(({ inputs }) => inputs[0]!.name)).toEqual([list[0]!.outputs[0]]);
    expect([...(await client.next("done")).tasks]).toEqual([0]);
  });
});

it("a survey tells what there is to compute with", async () => {
  const client = await flock.client();
  await flock.node("a.00.00.00.01");
  client.say({ t: "survey", request: 4 });
  expect(await client.next("fleet")).toMatchObject({
    request: 4,
    nodes: [{ id: "a.00.00.00.01", slots: 1, flops: 2e10, provider: "cpu", owner: "local" }],
  });
});

describe("replicas", () => {
  const owned = (owner: string) => ({ owner });
  /** Answers the next task with large bytes and what they hash to, or with other bytes than it says. */
  const answer = async (node: TestPeer<"node">, bytes: Uint8Array, says = bytes) => {
    const { list } = await node.next("compute");
    expect(list[0]!.hashed).toBe(true);
    node.answer(list[0]!, [bytes], [createHash("sha256").update(says).digest("hex")]);
    return list[0]!;
  };

  it("that agree are one value, which says what its bytes hash to", async () => {
    const client = await flock.client();
    const a = await flock.node("a.00.00.00.01", undefined, owned("anna"));
    const b = await flock.node("b.00.00.00.01", undefined, owned("ben"));
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, replicas: 2, list: [spec([0])] });
    client.say({ t: "want", graph: GRAPH, outputs: [[0, 0]] });
    const made = tensor(LARGE, 3);
    await Promise.all([answer(a, made), answer(b, made)]);
    const value = await client.next("value");
    expect(value.sha256).toBe(createHash("sha256").update(made).digest("hex"));
    expect(same(await client.fetch({ graph: GRAPH, output: [0, 0] }), made)).toBe(true);
    client.say({ t: "tasks", graph: GRAPH, first: 1, list: [spec([[0, 0]])] });
    const next = await Promise.race([a.next("compute"), b.next("compute")]);
    expect(next.list[0]!.inputs[0]!.sha256).toBe(value.sha256);
  });

  it("that differ are decided by a third owner's node, and who was wrong is named and left alone", async () => {
    const client = await flock.client();
    const a = await flock.node("a.00.00.00.01", undefined, owned("anna"));
    const b = await flock.node("b.00.00.00.01", undefined, owned("ben"));
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, replicas: 2, list: [spec([0])] });
    client.say({ t: "want", graph: GRAPH, outputs: [[0, 0]] });
    const c = await flock.node("c.00.00.00.01", undefined, owned("carl"));
    // Anna's and Carl's nodes are on one side, so either may have the first copy.
    const honest = tensor(LARGE, 3);
    const rest = Promise.race([answer(a, honest), answer(c, honest)]);
    await answer(b, tensor(LARGE, 4));
    await rest;
    void answer(a, honest).catch(() => undefined);
    void answer(c, honest).catch(() => undefined);
    const notice = await client.next("notice");
    expect(notice.code).toBe("wrong_result");
    expect(notice.message).toContain("b.00.00.00.01 is in quarantine");
    expect(same(await client.fetch({ graph: GRAPH, output: [0, 0] }), honest)).toBe(true);
  });

  it("need as many owners", async () => {
    const client = await flock.client();
    await flock.node("a.00.00.00.01", undefined, owned("anna"));
    client.give([tensor(1)]);
    client.say({ t: "tasks", graph: GRAPH, first: 0, replicas: 2, list: [spec([0])] });
    expect(await client.next("undone")).toMatchObject({
      code: "limit",
      message: expect.stringContaining("here are 1 (anna)") as string,
    });
  });
});
