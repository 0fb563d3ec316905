// Values that somebody will ask for, values that no task makes, and outputs that were there before their task.
import { expect, it } from "vitest";
import type { Domain } from "../ids/index.js";
import { node, ref, Rig, task } from "./rig.testing.js";

const graph = { keep: "node" } as const;
const domain = "166" as Domain;

it("a value that is wanted is computed again as soon as it is lost, and that is told", () => {
  const rig = new Rig().join("a").join("b").submit(1, 1, graph);
  rig.done("a", [1], [1], [[100]]).send({ type: "ValuesWanted", values: [ref(1)] });
  rig.send({ type: "NodeLeft", node: node("a") });
  expect(rig.dispatched).toEqual(["b:1.2"]);
  rig.done("b", [1], [2], [[100]]);
  expect(rig.effects("Solved")).toEqual([]);
  expect(rig.effects("Recomputed")[0]).toMatchObject({ tasks: [1], tags: ["t1"] });
  expect(rig.scheduler.places(ref(1))).toEqual(["b"]);
});

it("a value that nobody wants is not", () => {
  const rig = new Rig()
    .join("a")
    .join("b")
    .submit(1, 1, graph)
    .done("a", [1], [1], [[100]]);
  rig.send({ type: "NodeLeft", node: node("a") });
  expect(rig.dispatched).toEqual([]);
  expect(rig.send({ type: "ValuesWanted", values: [ref(1)] }).dispatched).toEqual(["b:1.2"]);
});

it("says when a wanted value cannot be computed again", () => {
  const rig = new Rig().join("a").join("b").submit(1, 1, graph);
  rig.done("a", [1], [1], [[100]]).send({ type: "ValuesWanted", values: [ref(1)] });
  rig.send({ type: "NodeLeft", node: node("a") });
  rig.fail("b", 1, 2, false);
  expect(rig.failed).toEqual([]);
  expect(rig.effects("ValuesGone")[0]).toMatchObject({ task: 1, tag: "t1", reasons: [{ node: "b" }] });
});

it("a client's own value is at the hub, moves to nodes, and goes from everywhere when it is released", () => {
  const rig = new Rig().join("a").send({ type: "ValueGiven", value: ref(1), domain, bytes: 64 });
  rig.submit(2, 1, { ...graph, inputs: [[ref(1)]] });
  expect(rig.effects("Dispatch")[0]!.assignments[0]!.inputs).toEqual([{ value: ref(1), places: ["hub"] }]);
  rig.send({ type: "ValueCopied", value: ref(1), bytes: 64, place: node("a") });
  expect(rig.scheduler.places(ref(1))).toEqual(["hub", "a"]);
  rig.done("a", [2], [1], [[8]]).send({ type: "ValuesReleased", values: [ref(1), ref(2)] });
  expect(rig.effects("Release").map(({ place, values }) => [place, values.length])).toEqual([
    ["a", 2],
    ["hub", 1],
  ]);
  expect(rig.scheduler.counts().remembered).toBe(0);
});

it("a task whose outputs nodes hold from before does not run, and what needs it does", () => {
  const rig = new Rig().join("a").join("b");
  rig.submit(1, 2, {
    ...graph,
    inputs: [[], [ref(1)]],
    found: [[{ bytes: 100, nodes: [node("b")] }], undefined],
  });
  expect(rig.dispatched).toEqual(["b:2.1"]);
  expect(rig.scheduler.task(task(1))?.state).toBe("solved");
  rig.send({ type: "NodeLeft", node: node("b") });
  expect(rig.dispatched).toEqual(["a:1.1"]);
});

it("outputs that came to the hub outlive their node", () => {
  const rig = new Rig().join("a").join("b").submit(1, 1, graph);
  rig.send({ type: "AttemptsDone", node: node("a"), tasks: [1], attempts: [1], values: [[8]], atHub: [[0]] });
  expect(rig.scheduler.places(ref(1))).toEqual(["hub"]);
  rig.send({ type: "NodeLeft", node: node("a") });
  expect(rig.submit(2, 1, { ...graph, inputs: [[ref(1)]] }).dispatched).toEqual(["b:2.1"]);
});

it("tells whether a node that is away has what something waits for", () => {
  const rig = new Rig()
    .join("a")
    .join("b")
    .submit(1, 1, graph)
    .done("a", [1], [1], [[100]])
    .lose("a");
  expect(rig.scheduler.withholds(node("a"))).toBe(false);
  rig.submit(2, 1, { ...graph, inputs: [[ref(1)]] });
  expect(rig.scheduler.withholds(node("a"))).toBe(true);
});
