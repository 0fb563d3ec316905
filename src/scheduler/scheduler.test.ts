// Each race and rule of the scheduler in a few lines. The laws that hold for any events are in laws.test.ts.
import { describe, expect, it } from "vitest";
import type { Domain, NodeId, SessionId } from "../ids/index.js";
import { Rig, node } from "./rig.testing.js";

describe("placing", () => {
  it("gives a waiting task to the node that comes, and tells its solution once", () => {
    const rig = new Rig().submit(1);
    expect(rig.dispatched).toEqual([]);
    expect(rig.join("a").dispatched).toEqual(["a:1.1"]);
    expect(rig.done("a", [1]).solved).toEqual([1]);
    expect(rig.effects("Solved")[0]).toMatchObject({ node: "a", tags: ["t1"], index: [0] });
    expect(rig.done("a", [1]).solved).toEqual([]);
    expect(rig.scheduler.counts()).toEqual({ waiting: 0, running: 0, blocked: 0, nodes: 1, remembered: 0 });
  });

  it("fills all idle slots before any window, and then windows evenly", () => {
    const rig = new Rig().join("a", { slots: 2, window: 10 }).join("b", { slots: 2, window: 10 });
    expect(rig.submit(1, 4).dispatched.sort()).toEqual(["a:1.1", "a:3.1", "b:2.1", "b:4.1"]);
    rig.submit(5, 100);
    expect([...rig.scheduler.nodes()].map((n) => [n.running, n.held])).toEqual([
      [2, 10],
      [2, 10],
    ]);
    expect(rig.scheduler.counts().waiting).toBe(84);
    expect(rig.dispatched.slice(0, 2)).toEqual(["a:5.1", "a:7.1"]);
  });

  it("keeps to domains and services", () => {
    const rig = new Rig().join("a", { domain: "other" as Domain }).join("b", { services: ["x"] });
    expect(rig.submit(1).dispatched).toEqual([]);
    expect(rig.scheduler.offers("166" as Domain, "s")).toBe(false);
    expect(rig.scheduler.offers("166" as Domain, "x")).toBe(true);
    expect(rig.join("c").dispatched).toEqual(["c:1.1"]);
    expect(rig.done("a", [1]).solved).toEqual([]);
  });

  it("asks back part of what a full node holds when another is idle", () => {
    const rig = new Rig().join("a", { slots: 1, window: 11 }).submit(1, 11);
    expect(rig.join("b", { slots: 1, window: 11 }).recalled).toEqual([
      "a:11.1",
      "a:10.1",
      "a:9.1",
      "a:8.1",
      "a:7.1",
    ]);
    rig.drop("a", [7, 8, 9, 10, 11]);
    expect(rig.dispatched[0]).toBe("b:7.2");
    expect(rig.scheduler.task(7 as never)?.state).toBe("running");
    expect(rig.recalled).toEqual([]);
  });

  it("takes turns between sessions, keeps to priorities within one, and to order within those", () => {
    const rig = new Rig();
    rig.submit(1, 100, { session: "big" as SessionId });
    rig.submit(201, 2, { session: "small" as SessionId }).submit(301, 1, {
      session: "small" as SessionId,
      priority: 5,
    });
    rig.join("a", { slots: 6 });
    expect(rig.dispatched.map((d) => Number(d.slice(2).split(".")[0])).sort((x, y) => x - y)).toEqual([
      1, 2, 3, 201, 202, 301,
    ]);
    expect(rig.dispatched.indexOf("a:301.1")).toBeLessThan(rig.dispatched.indexOf("a:201.1"));
  });

  it("takes turns between services that share their nodes", () => {
    const rig = new Rig()
      .submit(1, 10)
      .submit(11, 10, { service: "x" })
      .join("a", { services: ["s", "x"] });
    const order = [rig.dispatched[0]!];
    for (let i = 0; i < 5; i++) {
      rig.done("a", [Number(/:(\d+)/.exec(order.at(-1)!)![1])]);
      order.push(rig.dispatched[0]!);
    }
    expect(order.map((d) => Number(/:(\d+)/.exec(d)![1]) > 10)).toEqual([
      false,
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it("dispatches nothing while paused, and all of it after", () => {
    const rig = new Rig().join("a", { slots: 3 }).send({ type: "DispatchPaused" });
    expect(rig.submit(1, 2).dispatched).toEqual([]);
    expect(rig.join("b").dispatched).toEqual([]);
    expect(rig.send({ type: "DispatchResumed" }).dispatched).toHaveLength(2);
  });

  it("splits what is more than one Dispatch should carry", () => {
    const rig = new Rig({ maxDispatch: 4 }).join("a", { slots: 1, window: 10 }).submit(1, 10);
    expect(rig.effects("Dispatch").map((e) => e.assignments.length)).toEqual([4, 4, 2]);
  });

  it("gives a draining node nothing new and takes back what it has not started", () => {
    const rig = new Rig().join("a", { slots: 1, window: 3 }).submit(1, 3);
    rig.send({ type: "NodeDraining", node: node("a") });
    expect(rig.recalled).toEqual(["a:2.1", "a:3.1"]);
    expect(rig.drop("a", [2, 3]).dispatched).toEqual([]);
    expect(rig.done("a", [1]).solved).toEqual([1]);
    expect(rig.join("b", { slots: 2 }).dispatched).toEqual(["b:2.2", "b:3.2"]);
  });

  it("fills slots that a node has got, and waits for those that it has lost", () => {
    const rig = new Rig().join("a", { slots: 1, window: 1 }).submit(1, 6);
    const slots = (slots: number) => rig.send({ type: "NodeSlots", node: "a" as NodeId, slots });
    expect(slots(3).dispatched).toEqual(["a:2.1", "a:3.1"]);
    expect(rig.scheduler.node("a" as NodeId)).toMatchObject({ slots: 3, window: 3, running: 3, held: 3 });
    rig.send({ type: "NodeWindow", node: "a" as NodeId, window: 1 });
    slots(1).send({ type: "NodeWindow", node: "a" as NodeId, window: 1 });
    expect(rig.done("a", [1, 2]).dispatched).toEqual([]);
    expect(rig.done("a", [3]).dispatched).toEqual(["a:4.1"]);
  });

  it("copies the slowest task that may be copied when slots are idle, once", () => {
    const rig = new Rig().join("a").join("b");
    for (let i = 1; i <= 4; i++) {
      rig.submit(i).now += 100;
      rig.done(/^(.)/.exec(rig.dispatched[0]!)![1]!, [i]);
    }
    rig.submit(10, 1, { idempotent: true });
    const first = rig.dispatched[0]!.slice(0, 1);
    const other = first === "a" ? "b" : "a";
    expect(rig.wait(199).dispatched).toEqual([]);
    expect(rig.wait(1).dispatched).toEqual([`${other}:10.2`]);
    expect(rig.wait(10_000).dispatched).toEqual([]);
    expect(rig.done(other, [10], [2]).solved).toEqual([10]);
    expect(rig.cancelled).toEqual([`${first}:10.1 superseded`]);
    expect(rig.done(first, [10], [1]).solved).toEqual([]);
  });
});

describe("failing", () => {
  it("tries elsewhere at once, and never where it failed while there is another", () => {
    const rig = new Rig().join("a").join("b").submit(1);
    expect(rig.fail("a", 1).dispatched).toEqual(["b:1.2"]);
    expect(rig.fail("b", 1, 2).dispatched).toEqual([]);
    expect(rig.join("c").dispatched).toEqual(["c:1.3"]);
  });

  it("waits for a busy node rather than going back, unless nobody else is left", () => {
    const rig = new Rig().join("a").join("b").submit(1, 2);
    expect(rig.fail("a", 1).dispatched).toEqual([]);
    expect(rig.wait(60_000).dispatched).toEqual([]);
    rig.lose("b");
    expect(rig.dispatched).toEqual(["a:2.2"]);
    rig.done("a", [2], [2]);
    expect(rig.wait(100).dispatched).toEqual(["a:1.2"]);
  });

  it("goes back to the only node after waits that double, then fails with all reasons", () => {
    const rig = new Rig().join("a").submit(1, 1, { maxAttempts: 3 });
    expect(rig.fail("a", 1).dispatched).toEqual([]);
    expect(rig.wait(79).dispatched).toEqual([]);
    expect(rig.wait(21).dispatched).toEqual(["a:1.2"]);
    rig.fail("a", 1, 2);
    expect(rig.wait(159).dispatched).toEqual([]);
    expect(rig.wait(41).dispatched).toEqual(["a:1.3"]);
    expect(rig.fail("a", 1, 3, true, "last").failed).toEqual(["1 last"]);
    const [failure] = rig.effects("Failed");
    expect(failure!.reasons.map((r) => r.code)).toEqual(["service_error", "service_error", "last"]);
    expect(failure!.message).toBe('task 1 ("s") failed after 3 attempts; the last on a: boom');
  });

  it("fails at once what is not to be tried again", () => {
    expect(new Rig().join("a").join("b").submit(1).fail("a", 1, 1, false).failed).toEqual([
      "1 service_error",
    ]);
  });

  it("puts a node in quarantine that fails task after task while others do not", () => {
    const rig = new Rig({ quarantineAfter: 3 }).join("b", { slots: 9 }).join("a");
    for (let i = 1; i <= 20; i++) {
      rig.submit(i);
      const at = rig.dispatched.find((d) => d.startsWith("a:"));
      if (at !== undefined) rig.fail("a", i);
      if (rig.effects("Quarantined").length > 0) break;
    }
    expect(rig.effects("Quarantined")).toEqual([
      { type: "Quarantined", node: "a", untilMs: 30_000, why: "3 tasks in a row failed on it" },
    ]);
    expect(rig.scheduler.node(node("a"))?.quarantined).toBe(true);
    rig.submit(100, 20);
    expect(rig.dispatched.filter((d) => d.startsWith("a:"))).toEqual([]);
    expect(rig.wait(30_000).dispatched.filter((d) => d.startsWith("a:"))).toHaveLength(1);
  });

  it("blames the service, not the nodes, when all of them fail", () => {
    const rig = new Rig({ quarantineAfter: 2 }).join("a").join("b");
    for (let i = 1; i <= 10; i++) {
      rig.submit(i, 1, { maxAttempts: 2 });
      for (let attempt = 1; attempt <= 2; attempt++) {
        const at = /^(.):/.exec(rig.dispatched[0]!)![1]!;
        rig.fail(at, i, attempt);
        expect(rig.effects("Quarantined")).toEqual([]);
      }
      expect(rig.failed).toEqual([`${i} service_error`]);
    }
  });

  it("runs an attempt that takes too long elsewhere, and its slot stays taken until the node answers", () => {
    const rig = new Rig().join("a").join("b").submit(1, 1, { attemptTimeoutMs: 1000 });
    expect(rig.wait(1049).last).toEqual([]);
    expect(rig.wait(1).cancelled).toEqual(["a:1.1 attempt_timeout"]);
    expect(rig.dispatched).toEqual(["b:1.2"]);
    expect(rig.submit(2).dispatched).toEqual([]);
    expect(rig.drop("a", [1]).dispatched).toEqual(["a:2.1"]);
  });

  it("still takes the answer of an attempt that took too long, if it is the first", () => {
    const rig = new Rig().join("a").join("b").submit(1, 1, { attemptTimeoutMs: 1000 }).wait(1050);
    expect(rig.done("a", [1]).solved).toEqual([1]);
    expect(rig.cancelled).toEqual(["b:1.2 superseded"]);
    expect(rig.done("b", [1], [2]).solved).toEqual([]);
  });

  it("starts the time of an attempt when the one before it ends", () => {
    const rig = new Rig().join("a", { window: 2 }).submit(1, 2, { attemptTimeoutMs: 1000 });
    rig.wait(900).done("a", [1]);
    expect(rig.wait(1000).cancelled).toEqual([]);
    expect(rig.wait(50).cancelled).toEqual(["a:2.1 attempt_timeout"]);
  });

  it("fails at its deadline, waiting or running", () => {
    const rig = new Rig().join("a").submit(1, 2, { deadlineAt: 500 }).wait(500);
    expect(rig.failed).toEqual(["1 deadline", "2 deadline"]);
    expect(rig.cancelled).toEqual(["a:1.1 deadline"]);
    expect(rig.submit(3, 1, { deadlineAt: 500 }).failed).toEqual(["3 deadline"]);
    expect(rig.drop("a", [1]).submit(4, 1, { deadlineAt: 501 }).dispatched).toEqual(["a:4.1"]);
    expect(rig.done("a", [4]).solved).toEqual([4]);
    expect(rig.scheduler.nextTimer()).toBe(Infinity);
  });

  it("cancels: over at once, the slot free when the node answers, never solved", () => {
    const rig = new Rig().join("a").submit(1, 2).cancel(1, 2, 2, 77);
    expect(rig.failed).toEqual(["1 cancelled", "2 cancelled"]);
    expect(rig.cancelled).toEqual(["a:1.1 cancelled"]);
    expect(rig.submit(3).dispatched).toEqual([]);
    expect(rig.done("a", [1]).solved).toEqual([]);
    expect(rig.dispatched).toEqual(["a:3.1"]);
  });
});

describe("losing nodes", () => {
  it("gives the tasks of a lost node to others at once, and tells it when it is back", () => {
    const rig = new Rig().join("a").join("b").submit(1);
    expect(rig.lose("a").dispatched).toEqual(["b:1.2"]);
    rig.done("b", [1], [2]);
    expect(rig.submit(2).dispatched).toEqual(["b:2.1"]);
    expect(rig.resume("a", [[1, 1]]).cancelled).toEqual(["a:1.1 superseded"]);
    expect(rig.submit(3).dispatched).toEqual([]);
    expect(rig.drop("a", [1]).dispatched).toEqual(["a:3.1"]);
  });

  it("lets a node that is back keep what nobody else was given", () => {
    const rig = new Rig().join("a").submit(1).lose("a");
    expect(rig.scheduler.counts()).toMatchObject({ waiting: 1, running: 0 });
    rig.now += 1000;
    expect(rig.resume("a", [[1, 1]]).last).toEqual([]);
    expect(rig.join("b").dispatched).toEqual([]);
    expect(rig.done("a", [1]).solved).toEqual([1]);
  });

  it("lets both run what was given away, and the first answer wins", () => {
    const rig = new Rig().join("a").join("b").submit(1).lose("a");
    expect(rig.resume("a", [[1, 1]]).cancelled).toEqual([]);
    expect(rig.done("a", [1]).solved).toEqual([1]);
    expect(rig.cancelled).toEqual(["b:1.2 superseded"]);
    expect(rig.done("b", [1], [2]).solved).toEqual([]);
  });

  it("runs again what a node that is back does not list", () => {
    const rig = new Rig().join("a").submit(1).lose("a").resume("a");
    expect(rig.dispatched).toEqual(["a:1.2"]);
  });

  it("tells a node to stop what nobody knows", () => {
    const rig = new Rig().join("a").resume("a", [[7, 3]]);
    expect(rig.cancelled).toEqual(["a:7.3 unknown"]);
    expect(rig.submit(8).dispatched).toEqual([]);
    expect(rig.drop("a", [7], [3]).dispatched).toEqual(["a:8.1"]);
    expect(rig.resume("z", [[9, 1]]).cancelled).toEqual(["z:9.1 unknown"]);
  });

  it("takes over what a node runs after a restart of the hub, and counts attempts on from there", () => {
    const rig = new Rig().submit(1, 2).join("a", { resuming: true });
    expect(rig.dispatched).toEqual([]);
    expect(rig.resume("a", [[1, 4]]).last).toEqual([]);
    expect(rig.join("b").dispatched).toEqual(["b:2.1"]);
    expect(rig.fail("a", 1, 4).dispatched).toEqual([]);
    expect(rig.done("b", [2]).dispatched).toEqual(["b:1.5"]);
  });

  it("takes an answer to an attempt it does not know of, when the task is open", () => {
    const rig = new Rig().submit(1).join("a", { resuming: true });
    expect(rig.done("a", [1], [3]).solved).toEqual([1]);
    expect(rig.resume("a").dispatched).toEqual([]);
  });

  it("fails a task that takes down node after node, and no task that only waited there", () => {
    const rig = new Rig().submit(1, 2);
    for (const id of ["a", "b"]) {
      expect(rig.join(id, { window: 2 }).dispatched).toHaveLength(2);
      expect(rig.leave(id).failed).toEqual([]);
    }
    rig.join("c", { window: 2 });
    expect(rig.lose("c").failed).toEqual(["1 node_lost"]);
    expect(rig.effects("Failed")[0]!.reasons.map((r) => r.node)).toEqual(["a", "b", "c"]);
    expect(rig.join("d").dispatched).toEqual(["d:2.4"]);
  });

  it("does not hold a broken link against a task: the node that is back was not taken down", () => {
    const rig = new Rig().join("a").submit(1);
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect(rig.lose("a").failed).toEqual([]);
      // What it was sent into the broken link, it never had.
      expect(rig.resume("a").dispatched).toEqual([`a:1.${attempt + 1}`]);
    }
  });

  it("keeps the order of tasks that come back", () => {
    const rig = new Rig().join("a", { slots: 2, window: 4 }).submit(1, 6).lose("a");
    expect(rig.join("b", { slots: 6 }).dispatched).toEqual(
      [1, 2, 3, 4].map((t) => `b:${t}.2`).concat("b:5.1", "b:6.1"),
    );
  });

  it("lets go of a lost node's attempts after the grace", () => {
    const rig = new Rig().join("a").submit(1).lose("a").wait(10_000);
    expect(rig.scheduler.node(node("a"))?.held).toBe(0);
    expect(rig.resume("a", [[1, 1]]).dispatched).toEqual([]);
    expect(rig.done("a", [1]).solved).toEqual([1]);
  });
});
