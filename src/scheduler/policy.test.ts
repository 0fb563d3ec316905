// Policies in a few lines each: speeds, patience, weights, quotas, needs, timeouts, early deadlines, data, lineage.
import { describe, expect, it } from "vitest";
import type { SessionId } from "../ids/index.js";
import { ADAPTIVE } from "./events.js";
import { Rig, ref, task } from "./rig.testing.js";

const session = (name: string) => ({ session: name as SessionId });

/** Node `id` has solved tasks 9001 to 9001 + times, each in so many milliseconds. */
function practised(rig: Rig, id: string, ms: number, first = 9001, times = 4): Rig {
  for (let t = first; t < first + times; t++) {
    rig.submit(t);
    rig.now += ms;
    rig.done(id, [t]);
  }
  return rig;
}

describe("speeds", () => {
  it("gives a task to the fastest idle node, by its benchmark", () => {
    const rig = new Rig().join("slow", { speed: 1 }).join("fast", { speed: 4 }).join("middle", { speed: 2 });
    expect(rig.submit(1, 3).dispatched).toEqual(["fast:1.1", "middle:2.1", "slow:3.1"]);
  });

  it("does not wait for the end of the work on a node that is too slow for it, but gives it work while there is much", () => {
    const rig = practised(new Rig().join("fast", { speed: 10 }), "fast", 100).join("slow", { speed: 1 });
    expect(rig.submit(1, 100).dispatched).toEqual(["fast:1.1", "slow:2.1"]);
    const few = practised(new Rig().join("fast", { speed: 10 }), "fast", 100).join("slow", { speed: 1 });
    expect(few.submit(1, 3).dispatched).toEqual(["fast:1.1"]);
    few.now += 100;
    expect(few.done("fast", [1]).dispatched).toEqual(["fast:2.1"]);
  });

  it("reckons with what is said of new tasks until durations are seen", () => {
    const flock = () => new Rig().join("fast", { speed: 1 }).join("slow", { speed: 0.25 });
    expect(flock().submit(1, 2, { expectedMs: 200 }).dispatched).toEqual(["fast:1.1"]);
    expect(flock().submit(1, 20, { expectedMs: 200 }).dispatched).toEqual(["fast:1.1", "slow:2.1"]);
    // Nobody waits for what takes no time.
    expect(flock().submit(1, 2, { expectedMs: 1 }).dispatched).toEqual(["fast:1.1", "slow:2.1"]);
  });

  it("waits for a better node for a bounded time", () => {
    const rig = practised(new Rig().join("fast", { speed: 10 }), "fast", 100).join("slow", { speed: 1 });
    expect(rig.submit(1, 2).dispatched).toEqual(["fast:1.1"]);
    expect(rig.wait(1000).dispatched).toEqual(["slow:2.1"]);
  });

  it("believes durations more than benchmarks", () => {
    const rig = practised(new Rig().join("honest", { speed: 1 }), "honest", 100);
    rig.drain("honest").join("liar", { speed: 10 });
    practised(rig, "liar", 1000, 9101);
    rig.join("other", { speed: 1 });
    expect(rig.submit(1).dispatched).toEqual(["other:1.1"]);
  });
});

describe("shares", () => {
  it("gives a session with twice the weight twice as much", () => {
    const rig = new Rig().join("a").send({ type: "SessionShare", ...session("big"), weight: 2 });
    rig.submit(1, 6, session("big")).submit(11, 6, session("small"));
    const order = [1];
    for (let i = 0; i < 8; i++) order.push(...served(rig.done("a", [order.at(-1)!])));
    expect(order.filter((t) => t < 11)).toHaveLength(6);
    expect(order.filter((t) => t >= 11)).toHaveLength(3);
  });

  it("gives a session no more tasks at once than it may have, and goes on when one ends", () => {
    const rig = new Rig()
      .join("a", { slots: 4 })
      .send({ type: "SessionShare", ...session("s"), maxRunning: 2 });
    expect(rig.submit(1, 4, session("s")).dispatched).toEqual(["a:1.1", "a:2.1"]);
    expect(rig.submit(11, 1, session("t")).dispatched).toEqual(["a:11.1"]);
    expect(rig.done("a", [1]).dispatched).toEqual(["a:3.1"]);
    expect(rig.send({ type: "SessionShare", ...session("s") }).dispatched).toEqual(["a:4.1"]);
  });

  it("lets the long tasks of a session count for more", () => {
    const rig = new Rig().join("a");
    const order: number[] = [];
    rig.submit(1, 20, session("long")).submit(101, 200, session("short"));
    for (let now = 1, next = 1; order.length < 80; next = served(rig)[0]!) {
      order.push(next);
      rig.now = now += next < 101 ? 400 : 100;
      rig.done("a", [next]);
    }
    const late = order.slice(40);
    expect(late.filter((t) => t >= 101).length / late.filter((t) => t < 101).length).toBeGreaterThan(2.5);
  });
});

describe("needs", () => {
  const needs = { needs: { memoryMb: 4000, provider: "webgpu", labels: ["quiet"] } };
  const able = { memoryMb: 4096, providers: ["cpu", "webgpu"], labels: ["quiet", "home"] };

  it.each([
    ["memory", { ...able, memoryMb: 2048 }],
    ["the provider", { ...able, providers: ["cpu"] }],
    ["a label", { ...able, labels: ["home"] }],
  ])("waits for a node when those there lack %s", (_, lacking) => {
    const rig = new Rig().join("a", lacking).submit(1, 1, needs).submit(2);
    expect(rig.dispatched).toEqual(["a:2.1"]);
    expect(rig.join("b", able).dispatched).toEqual(["b:1.1"]);
    expect(rig.done("b", [1]).done("a", [2]).scheduler.counts()).toMatchObject({
      waiting: 0,
      running: 0,
      remembered: 0,
    });
  });

  it("finds nodes that were there before", () => {
    expect(new Rig().join("a", able).submit(1, 1, needs).dispatched).toEqual(["a:1.1"]);
  });
});

describe("time", () => {
  it("adapts timeouts to the durations seen, and doubles them", () => {
    const rig = practised(new Rig().join("a"), "a", 2000).join("b");
    rig.submit(1, 1, { attemptTimeoutMs: ADAPTIVE, maxAttempts: 3 });
    expect(rig.effects("Dispatch")[0]!.assignments[0]!.attemptTimeoutMs).toBe(10_000);
    expect(rig.wait(10_049).cancelled).toEqual([]);
    expect(rig.wait(1).cancelled).toHaveLength(1);
    expect(rig.effects("Dispatch")[0]!.assignments[0]!.attemptTimeoutMs).toBe(20_000);
  });

  it("fails early what the fastest node can not do in time, when asked", () => {
    const rig = practised(new Rig().join("a"), "a", 1000);
    const soon = { deadlineAt: rig.now + 900 };
    expect(rig.submit(1, 1, { ...soon, failEarly: true }).failed).toEqual(["1 deadline"]);
    expect(rig.submit(2, 2, soon).failed).toEqual([]);
    // Task 2 runs; one behind it fails when there is not enough time left for it.
    const later = { deadlineAt: rig.now + 1500, failEarly: true };
    expect(rig.submit(4, 1, later).wait(499).failed).toEqual([]);
    expect(rig.wait(20).failed).toEqual(["4 deadline"]);
  });

  it("does not send a rested task back to where it failed when a new node is there", () => {
    const rig = new Rig().join("a").submit(1).fail("a", 1);
    rig.submit(2);
    expect(rig.dispatched).toEqual(["a:2.1"]);
    rig.wait(200);
    expect(rig.join("b").dispatched).toEqual(["b:1.2"]);
  });
});

describe("data", () => {
  it("waits for the node with a large value, and moves a small one", () => {
    const make = (bytes: number) => {
      const rig = practised(new Rig().join("a", { window: 2 }), "a", 100);
      rig.submit(1, 1, { keep: "node" });
      rig.now += 100;
      rig.done("a", [1], [1], [[bytes]]);
      return rig
        .submit(2)
        .join("b")
        .submit(3, 1, { inputs: [[ref(1)]] });
    };
    expect(make(100_000_000).dispatched).toEqual(["a:3.1"]);
    expect(make(1000).dispatched).toEqual(["b:3.1"]);
  });

  it("lets an idle node take a later task whose values it has", () => {
    const rig = new Rig().join("a").join("b").submit(1, 2, { keep: "node" });
    rig
      .done("a", [1], [1], [[1000]])
      .done("b", [2], [1], [[1000]])
      .submit(3, 2);
    rig.submit(5, 2, { inputs: [[ref(2)], [ref(1)]] });
    expect(rig.done("a", [3]).dispatched).toEqual(["a:6.1"]);
    expect(rig.done("b", [4]).dispatched).toEqual(["b:5.1"]);
  });

  it("remembers no more of a lineage than it may", () => {
    const rig = new Rig({ maxLineage: 10 }).join("a");
    for (let t = 1; t <= 100; t++) {
      rig.submit(t, 1, { keep: "node", inputs: [t === 1 ? [] : [ref(t - 1)]] }).done("a", [t], [1], [[8]]);
      if (t > 1) rig.send({ type: "ValuesReleased", values: [ref(t - 1)] });
      expect(rig.scheduler.counts().remembered).toBeLessThanOrEqual(11);
    }
    // What is lost beyond it can not be made again.
    rig.leave("a").join("b");
    expect(rig.submit(101, 1, { inputs: [[ref(100)]] }).failed).toEqual(["101 input_failed"]);
    expect(rig.scheduler.task(task(101))).toBeUndefined();
  });
});

function served(rig: Rig): number[] {
  return rig.effects("Dispatch").flatMap((e) => e.assignments.map((a) => a.task as number));
}
