// Values in a few lines each: waiting for inputs, locality, release, loss and recomputation.
import { describe, expect, it } from "vitest";
import type { Domain } from "../ids/index.js";
import { Rig, node, ref, task } from "./rig.testing.js";

const graph = { keep: "node" } as const;

describe("inputs", () => {
  it("holds a task back until its input is there, and says where that is", () => {
    const rig = new Rig()
      .join("a")
      .join("b")
      .submit(1, 1, graph)
      .submit(2, 1, { ...graph, inputs: [[ref(1)]] });
    expect(rig.dispatched).toEqual([]);
    expect(rig.scheduler.counts()).toMatchObject({ blocked: 1, running: 1 });
    rig.done("a", [1], [1], [[100]]);
    expect(rig.effects("Dispatch")[0]!.assignments[0]!.inputs).toEqual([{ value: ref(1), places: ["a"] }]);
    expect(rig.dispatched).toEqual(["a:2.1"]);
  });

  it("places a task with most of its bytes, if that node is idle", () => {
    const rig = new Rig().join("a").join("b").join("c").submit(1, 3, graph);
    rig
      .done("a", [1], [1], [[10]])
      .done("b", [2], [1], [[500]])
      .done("c", [3], [1], [[20]]);
    expect(rig.submit(4, 1, { inputs: [[ref(1), ref(2), ref(3)]] }).dispatched).toEqual(["b:4.1"]);
    expect(rig.submit(5, 1, { inputs: [[ref(1), ref(2), ref(3)]] }).dispatched).toEqual(["c:5.1"]);
  });

  it("weighs a faster node against what its link takes to bring the bytes there", () => {
    const services = ["s", "other"];
    const placed = (link: { bytesPerMs?: number }, later?: number): readonly string[] => {
      const rig = new Rig().join("near", { speed: 1, services }).submit(1, 1, graph);
      rig.done("near", [1], [1], [[1_000_000]]).join("far", { speed: 4, services, ...link });
      if (later !== undefined) rig.send({ type: "NodeLink", node: node("far"), bytesPerMs: later });
      return rig.submit(2, 1, { inputs: [[ref(1)]], service: "other", expectedMs: 100 }).dispatched;
    };
    // 100 ms where the bytes are; a quarter of that elsewhere, and 100 ms or 10 ms for the way.
    expect(placed({})).toEqual(["near:2.1"]);
    expect(placed({ bytesPerMs: 100_000 })).toEqual(["far:2.1"]);
    expect(placed({}, 100_000)).toEqual(["far:2.1"]);
    expect(placed({ bytesPerMs: 100_000 }, 1000)).toEqual(["near:2.1"]);
  });

  it("takes the solution of an earlier job from the hub, known or not", () => {
    const rig = new Rig()
      .join("a")
      .submit(1)
      .submit(2, 1, { inputs: [[ref(1)]] })
      .done("a", [1]);
    expect(rig.effects("Dispatch")[0]!.assignments[0]!.inputs).toEqual([{ value: ref(1), places: ["hub"] }]);
    rig.done("a", [2]).submit(10, 1, { inputs: [[ref(3)]] });
    expect(rig.dispatched).toEqual(["a:10.1"]);
    rig.done("a", [10]);
    expect(rig.scheduler.task(task(3))).toBeUndefined();
    expect(rig.scheduler.task(task(1))).toBeUndefined();
  });

  it("fails what needs a failed or cancelled task, and what needs that", () => {
    const rig = new Rig()
      .join("a")
      .submit(1)
      .submit(2, 2, { inputs: [[ref(1)], [ref(2)]] });
    expect(rig.fail("a", 1, 1, false).failed).toEqual([
      "1 service_error",
      "2 input_failed",
      "3 input_failed",
    ]);
    expect(rig.effects("Failed")[2]!.reasons[0]).toMatchObject({ node: "a", message: "boom" });
    rig.submit(4).submit(5, 1, { inputs: [[ref(4)]] });
    expect(rig.cancel(4).failed).toEqual(["4 cancelled", "5 input_failed"]);
  });

  it("fails a chain of a hundred thousand without running out of stack", () => {
    const inputs = Array.from({ length: 100_000 }, (_, i) => (i === 0 ? [] : [ref(i)]));
    const rig = new Rig().submit(1, 100_000, { inputs });
    expect(rig.cancel(1).failed).toHaveLength(100_000);
    expect(rig.scheduler.counts()).toMatchObject({ waiting: 0, running: 0, blocked: 0, remembered: 0 });
  });

  it.each([
    ["itself", [[ref(5)]]],
    ["a later task", [[ref(6)]]],
    ["an output that cannot be", [[ref(1, -1)]]],
  ])("refuses a task that needs %s", (_, inputs) => {
    expect(new Rig().submit(5, 1, { inputs }).failed).toEqual(["5 input_failed"]);
  });

  it("refuses inputs of another domain, and outputs that were not made", () => {
    const rig = new Rig().join("a").submit(1, 1, graph);
    expect(rig.submit(2, 1, { domain: "x" as Domain, inputs: [[ref(1)]] }).failed).toEqual([
      "2 input_failed",
    ]);
    rig.submit(3, 1, { inputs: [[ref(1, 1)]] });
    expect(rig.done("a", [1], [1], [[8]]).failed).toEqual(["3 input_failed"]);
  });
});

describe("release and loss", () => {
  it("releases a value when it was let go and the last task that needs it is done", () => {
    const rig = new Rig()
      .join("a")
      .submit(1, 1, graph)
      .submit(2, 1, { inputs: [[ref(1)]] });
    rig.done("a", [1], [1], [[8]]);
    expect(rig.send({ type: "ValuesReleased", values: [ref(1)] }).released).toEqual([]);
    expect(rig.done("a", [2]).released).toEqual(["a:1.0"]);
    expect(rig.scheduler.task(task(1))).toBeUndefined();
  });

  it("releases all copies, and those that arrive too late", () => {
    const rig = new Rig()
      .join("a")
      .join("b")
      .submit(1, 1, graph)
      .done("a", [1], [1], [[8]]);
    rig.send({ type: "ValueCopied", value: ref(1), bytes: 8, place: node("b") });
    expect(rig.send({ type: "ValuesReleased", values: [ref(1)] }).released).toEqual(["a:1.0", "b:1.0"]);
    rig.send({ type: "ValueCopied", value: ref(1), bytes: 8, place: node("b") });
    expect(rig.released).toEqual(["b:1.0"]);
  });

  it("waits the grace for a value, then computes it again, and tells nobody twice", () => {
    const rig = new Rig()
      .join("a")
      .submit(1, 1, graph)
      .done("a", [1], [1], [[8]])
      .lose("a");
    expect(rig.join("b").submit(2, 1, { inputs: [[ref(1)]] }).dispatched).toEqual([]);
    expect(rig.wait(9_999).dispatched).toEqual([]);
    expect(rig.wait(1).dispatched).toEqual(["b:1.2"]);
    expect(rig.done("b", [1], [2], [[8]]).solved).toEqual([]);
    expect(rig.dispatched).toEqual(["b:2.1"]);
    expect(rig.done("b", [2]).solved).toEqual([2]);
  });

  it("goes on with a value whose node is back within the grace", () => {
    const rig = new Rig()
      .join("a")
      .join("b")
      .submit(1, 1, graph)
      .done("a", [1], [1], [[8]])
      .lose("a");
    rig.submit(2, 1, { inputs: [[ref(1)]] }).wait(5_000);
    expect(rig.resume("a", [], [[ref(1), 8]]).dispatched).toEqual(["a:2.1"]);
  });

  it("holds back a ready task whose input goes away", () => {
    const rig = new Rig()
      .join("a")
      .submit(1, 1, graph)
      .done("a", [1], [1], [[8]]);
    rig.submit(9).submit(10, 1, { inputs: [[ref(1)]] });
    expect(rig.scheduler.counts()).toMatchObject({ waiting: 1, blocked: 0 });
    rig.leave("a");
    expect(rig.scheduler.counts()).toMatchObject({ waiting: 2, blocked: 1 });
    expect(rig.join("b", { slots: 3 }).dispatched).toEqual(["b:1.2", "b:9.2"]);
    expect(rig.done("b", [1], [2], [[8]]).dispatched).toEqual(["b:10.1"]);
  });

  it("computes a whole line of released values again when the last is lost", () => {
    const rig = new Rig().join("a").submit(1, 3, { ...graph, inputs: [[], [ref(1)], [ref(2)]] });
    for (const t of [1, 2, 3]) rig.done("a", [t], [1], [[8]]);
    expect(rig.send({ type: "ValuesReleased", values: [ref(1), ref(2)] }).released).toHaveLength(2);
    rig
      .leave("a")
      .join("b")
      .submit(4, 1, { inputs: [[ref(3)]] });
    const order = [rig.dispatched[0]];
    const released: string[] = [];
    for (const t of [1, 2, 3]) {
      rig.done("b", [t], [2], [[8]]);
      order.push(rig.dispatched[0]);
      released.push(...rig.released);
    }
    expect(order).toEqual(["b:1.2", "b:2.2", "b:3.2", "b:4.1"]);
    expect(released).toEqual(["b:1.0", "b:2.0"]);
  });

  it("needs no lineage for what is at the hub", () => {
    const rig = new Rig().join("a").submit(1, 2, { ...graph, inputs: [[], [ref(1)]] });
    rig.done("a", [1], [1], [[8]]).done("a", [2], [1], [[8]]);
    rig.send({ type: "ValuesReleased", values: [ref(1)] });
    expect(rig.scheduler.task(task(1))?.state).toBe("solved");
    rig.send({ type: "ValueCopied", value: ref(2), bytes: 8, place: "hub" });
    expect(rig.scheduler.task(task(1))).toBeUndefined();
    rig.leave("a").join("b");
    expect(rig.submit(3, 1, { inputs: [[ref(2)]] }).dispatched).toEqual(["b:3.1"]);
  });

  it("fails what needs a value that is lost and cannot be made again", () => {
    const rig = new Rig({ maxNodesTakenDown: 1 })
      .join("a")
      .submit(1, 1, graph)
      .done("a", [1], [1], [[8]]);
    rig
      .leave("a")
      .join("b")
      .submit(2, 1, { inputs: [[ref(1)]] });
    expect(rig.leave("b").failed).toEqual(["2 input_failed"]);
  });

  it("lets a node that is back drop what it need not keep", () => {
    const rig = new Rig()
      .join("a")
      .submit(1, 1, graph)
      .done("a", [1], [1], [[8]])
      .lose("a");
    rig.send({ type: "ValuesReleased", values: [ref(1)] });
    expect(rig.released).toEqual([]);
    expect(rig.resume("a", [], [[ref(1), 8]]).released).toEqual(["a:1.0"]);
  });
});
