// What is said again after a break, to the same hub and to another that knows nothing.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Expression } from "../../graph/index.js";
import { toNumbers } from "../../tensor/index.js";
import { Graph } from "./graph.js";
import { Peer } from "./peer.testing.js";

function started(peer = new Peer()): { peer: Peer; graph: Graph } {
  const graph = new Graph(peer.host, { name: "test" });
  peer.graph = graph;
  return { peer, graph };
}

/** A graph whose hub can be another one from some time on. */
function moving(): { hosts: { now: Peer }; graph: Graph } {
  const hosts = { now: new Peer() };
  const graph = new Graph(
    {
      send: (message) => hosts.now.host.send(message),
      fleet: () => hosts.now.host.fleet(),
      fetch: (id, output, bytes) => hosts.now.host.fetch(id, output, bytes),
      entered: () => undefined,
      left: () => undefined,
    },
    {},
  );
  hosts.now.graph = graph;
  return { hosts, graph };
}

const numbers = async (x: Expression) => [...toNumbers(await x.value())];
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("after a break", () => {
  it("what was lost on the way is said again", async () => {
    const { peer, graph } = started();
    const a = graph.tensor([1, 2, 3]).mul(2);
    expect(await numbers(a)).toEqual([2, 4, 6]);
    peer.up = false;
    const read = numbers(a.add(1));
    await turn();
    expect(peer.tasks.size).toBe(1);
    peer.up = true;
    graph.resend(true);
    expect(await read).toEqual([3, 5, 7]);
    // What was done is not asked for again.
    expect(peer.got.filter(({ t }) => t === "tasks")).toHaveLength(2);
    expect(peer.ran).toBe(2);
  });

  it("an answer that was lost is asked for again", async () => {
    const { peer, graph } = started();
    peer.held = true;
    const read = numbers(graph.tensor([1, 2]).exp().sum());
    await turn();
    // Computed, but the news of it does not arrive.
    peer.up = false;
    peer.step();
    peer.up = true;
    peer.held = false;
    peer.values.clear();
    graph.resend(true);
    expect((await read)[0]).toBeCloseTo(Math.E + Math.E ** 2, 4);
  });

  it("another hub gets what still matters: what is here as a tensor, what is not as tasks", async () => {
    const { hosts, graph } = moving();
    const small = graph.tensor([1, 2, 3]).mul(2);
    const large = graph.tensor(new Float32Array(6000).fill(3)).mul(2);
    await graph.values([small, large]);
    const last = large.add(small.sum());
    expect((await last.value()).data[0]).toBe(18);

    const second = new Peer();
    second.graph = graph;
    hosts.now = second;
    graph.resend(false);
    await turn();
    // The large ones are computed again for whoever may read them, from a small one that is here.
    expect(second.ran).toBe(2);
    expect(await numbers(small.max())).toEqual([6]);
    expect((await last.value()).data[5999]).toBe(18);
    expect((await large.value()).data[0]).toBe(6);
    graph.release(last, large, small);
    await graph.end();
  });

  it("another hub is given what it needs, whether an earlier one had it or not", async () => {
    const { hosts, graph } = moving();
    const given = graph.tensor([1, 2, 3]);
    expect(await numbers(given.mul(2))).toEqual([2, 4, 6]);
    hosts.now = new Peer();
    hosts.now.graph = graph;
    graph.resend(false);
    await turn();
    expect(await numbers(given.mul(3))).toEqual([3, 6, 9]);
  });

  it("an end that was lost is said again", async () => {
    const { peer, graph } = started();
    await numbers(graph.tensor([1]).exp());
    peer.up = false;
    const ended = graph.end();
    await turn();
    peer.up = true;
    graph.resend(true);
    await ended;
    expect(peer.got.at(-1)?.t).toBe("finish");
  });
});

describe("what nobody reads any more", () => {
  it("goes when it is released, and what only tasks read goes when they have run", async () => {
    const node = { id: "a", slots: 1, flops: 10, memory: 1e3, provider: "cpu", owner: "me" };
    const { peer, graph } = started(
      new Peer({ nodes: [node, { ...node, id: "b" }], bandwidth: 1e9, roundTrip: 1e-4 }),
    );
    const x = graph.tensor(new Float32Array(2000).fill(1));
    const y = graph.tensor(new Float32Array(2000).fill(2));
    const both = x.exp().tanh().sum().add(y.exp().tanh().sum());
    await both.value();
    const tasks = peer.got.find(({ t }) => t === "tasks");
    expect(tasks?.t === "tasks" && tasks.list.length).toBeGreaterThan(1);
    // All but the one that was read.
    const outputs = [...peer.tasks].flatMap(([number, { outputs }]) =>
      Array.from({ length: outputs }, (_, i) => `${number}.${i}`),
    );
    expect(peer.released.size).toBe(outputs.length - 1);
    graph.release(both);
    expect(peer.released.size).toBe(outputs.length);
  });

  it("goes when the program has lost it: a given tensor that nobody can name any more", async () => {
    const { peer, graph } = started();
    // In functions of their own, so that nothing stays on the stack.
    const once = async () => graph.release(...(await Promise.all([read([1, 2, 3]), read([4, 5])])));
    const read = async (values: number[]) => {
      const doubled = graph.tensor(values).mul(2);
      await doubled.value();
      return doubled;
    };
    await once();
    const stays = graph.tensor([7]);
    const [before] = await numbers(stays.add(1));
    expect(peer.givens.size).toBe(3);
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const left = (): number => {
      gc();
      return peer.givens.size;
    };
    await expect.poll(left, { timeout: 20_000 }).toBe(1);
    expect([before, ...(await numbers(stays.add(2)))]).toEqual([8, 9]);
  });

  it("keeps a value under a name, once", async () => {
    const { peer, graph } = started();
    await graph.tensor([1, 2]).add(1).persist("a");
    expect([...toNumbers(peer.kept.get("a")!)]).toEqual([2, 3]);
    await expect(graph.tensor([1]).persist("a")).rejects.toMatchObject({ code: "name_taken" });
  });
});
