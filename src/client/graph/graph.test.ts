// A graph as people use it, against a peer in this process that computes what it is sent.
import { describe, expect, it } from "vitest";
import { input, tensor, type Expression } from "../../graph/index.js";
import { Tensor, toNumbers } from "../../tensor/index.js";
import type { GraphOptions } from "./graph-options.js";
import { GraphFailure } from "./failure.js";
import { Graph } from "./graph.js";
import { Peer } from "./peer.testing.js";

function graphAt(peer: Peer, options: GraphOptions = {}): Graph {
  const graph = new Graph(peer.host, { name: "test", ...options });
  peer.graph = graph;
  return graph;
}

const numbers = async (x: Expression) => [...toNumbers(await x.value())];

describe("Graph", () => {
  it("computes what is read", async () => {
    const peer = new Peer();
    const graph = graphAt(peer);
    const c = graph.tensor([1, 2, 3]).add(graph.tensor([5, 22, 7]));
    expect(peer.got).toEqual([]);
    const value = await c.value();
    expect(value).toBeInstanceOf(Tensor);
    expect(String(value)).toBe("Tensor float32 [3] 6 24 10");
    expect(graph.progress).toEqual({ done: 1, running: 0, total: 1, failed: 0 });
    expect(graph.statistics()).toEqual({ add: { count: 1, ms: 2 } });
    await graph.end();
    expect(peer.got.map(({ t }) => t)).toEqual(["given", "program", "tasks", "want", "finish"]);
  });

  it("gives a leaf without asking anybody", async () => {
    const peer = new Peer();
    const graph = graphAt(peer);
    expect(await numbers(graph.tensor([4, 5]))).toEqual([4, 5]);
    expect(peer.got).toEqual([]);
  });

  it("begins where an earlier read has ended", async () => {
    const peer = new Peer();
    const graph = graphAt(peer);
    const a = graph.tensor([1, 2, 3, 4]).mul(2);
    const b = a.add(1);
    expect(await numbers(b)).toEqual([3, 5, 7, 9]);
    expect(await numbers(b)).toEqual([3, 5, 7, 9]);
    expect(peer.ran).toBe(1);
    expect(await numbers(b.sum())).toEqual([24]);
    expect(peer.ran).toBe(2);
    const tasks = peer.got.filter(({ t }) => t === "tasks");
    expect(tasks.at(-1)).toMatchObject({ first: 1, list: [{ inputs: [[0, 0]] }] });
  });

  it("reads of one turn are one program", async () => {
    const peer = new Peer();
    const graph = graphAt(peer);
    const x = graph.tensor([1, 2, 3]).exp();
    const [a, b] = await Promise.all([x.sum().value(), x.max().value()]);
    expect(peer.got.filter(({ t }) => t === "tasks")).toHaveLength(1);
    expect([a!.shape, b!.shape]).toEqual([[], []]);
  });

  it("says what can not be read, where it is built and where it is read", async () => {
    const graph = graphAt(new Peer());
    const other = graphAt(new Peer(), { name: "other" });
    expect(() => graph.tensor(1).add(other.tensor(2))).toThrow(/two graphs, "test" and "other"/);
    await expect(graph.value(other.tensor(2).exp())).rejects.toThrow(/belongs to the graph "other"/);
    expect(() => tensor([1]).exp().value()).toThrow(/belongs to no graph/);
    await expect(
      graph
        .tensor([1])
        .add(input("x", "float32", [1]))
        .value(),
    ).rejects.toThrow(/x is an input of a program/);
  });

  it("tells which operation failed, at the read and at the end", async () => {
    const peer = new Peer();
    const graph = graphAt(peer);
    const y = graph.tensor([[1, 2], [3, 4]]).gather(graph.tensor([5], { dtype: "int64" })); // prettier-ignore
    peer.failing = "Non-zero status code while running Gather node. Name:'take.0' indices out of bounds";
    const failed = await y.value().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(GraphFailure);
    expect((failed as GraphFailure).code).toBe("graph_failed");
    expect((failed as GraphFailure).failures).toMatchObject([
      { operation: "take", code: "program_error", node: "worker.01.02.03.04" },
    ]);
    expect(graph.progress).toEqual({ done: 0, running: 0, total: 1, failed: 1 });
    await expect(graph.end()).rejects.toThrow(/graph "test": an operation failed\n {2}take/);
    expect(() => graph.tensor(1)).toThrow(/has ended/);
  });
});
