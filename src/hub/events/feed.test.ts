// The feed on a hub's real parts, driven by hand: what watchers are told, put together, is what the hub's own counts say.
import { describe, expect, it } from "vitest";
import type { Payload } from "../../wire/index.js";
import { HubRig, NODE } from "../rig.testing.js";
import { EventFeed, type Watcher } from "./feed.js";

const payload = (text: string): Payload => ({ kind: 1, bytes: new TextEncoder().encode(text) });

interface Update {
  readonly whole?: true;
  readonly counts?: Record<string, number>;
  readonly jobs?: {
    readonly sets: { set: number; service: string }[];
    readonly now: number[][];
    gone: number[];
  };
  readonly errors?: { code: string; service?: string; times: number }[];
  readonly tasks?: { node: number[]; ms: number[]; ok: number[] };
  readonly history?: { readonly columns?: string[]; readonly samples: (number | null)[][] };
  readonly services?: string[];
}

class Listener implements Watcher {
  readonly updates: Update[] = [];
  behind = false;
  may = true;
  ended = false;

  send(text: string): void {
    expect(text).toMatch(/^event: update\nid: \d+\ndata: .*\n\n$/);
    this.updates.push(JSON.parse(text.split("\n")[2]!.slice(6)) as Update);
  }

  allowed(): boolean {
    return this.may;
  }

  end(): void {
    this.ended = true;
  }

  get last(): Update {
    return this.updates.at(-1)!;
  }
}

async function watched() {
  const rig = await HubRig.open();
  const feed = new EventFeed({
    core: rig.core,
    parts: rig.parts,
    hub: { id: "hub.00.00.00.01", software: "test" },
    traffic: () => ({ bytesIn: 1, bytesOut: 2, connections: 3 }),
  });
  return { rig, feed };
}

describe("a watcher", () => {
  it("is told everything first, then what has changed, and no more", async () => {
    const { rig, feed } = await watched();
    const session = rig.session("nightly");
    rig.submit(session, 0, [payload("a"), payload("b")]);
    await rig.rest();
    const early = new Listener();
    feed.add(early, 1000);
    expect(early.last.whole).toBe(true);
    expect(early.last.jobs).toMatchObject({ sets: [{ set: 0, service: "upper" }], now: [[0, 2, 0, 0, 0]] });
    expect(early.last.counts).toMatchObject({ submitted: 2, waiting: 2, bytesIn: 1, connections: 3 });
    rig.join();
    rig.solve(rig.nodes.sent.splice(0), [payload("A"), payload("B")]);
    await rig.rest();
    feed.tick(1250);
    expect(early.last).toMatchObject({ counts: { solved: 2 }, jobs: { sets: [], now: [[0, 2, 0, 2, 0]] } });
    expect(early.last.whole).toBeUndefined();
    feed.tick(1500);
    expect(early.last.jobs).toBeUndefined();
    // Who comes later learns the same in one piece.
    const late = new Listener();
    feed.add(late, 1600);
    expect(late.last).toMatchObject({ whole: true, jobs: { now: [[0, 2, 0, 2, 0]] }, counts: { solved: 2 } });
    rig.stop();
  });

  it("that is behind is told everything again when it has caught up; one that may not watch is let go", async () => {
    const { rig, feed } = await watched();
    const [slow, revoked] = [new Listener(), new Listener()];
    feed.add(slow, 0);
    feed.add(revoked, 0);
    slow.behind = true;
    revoked.may = false;
    rig.submit(rig.session("nightly"), 0, [payload("a")]);
    await rig.rest();
    feed.tick(250);
    expect([slow.updates.length, revoked.ended, feed.watchers]).toEqual([2, true, 1]);
    slow.behind = false;
    feed.tick(500);
    expect(slow.last).toMatchObject({ whole: true, jobs: { now: [[0, 1, 0, 0, 0]] } });
    rig.stop();
  });

  it("hears who failed, once for what is equal, and of each session and service apart", async () => {
    const { rig, feed } = await watched();
    const listener = new Listener();
    feed.add(listener, Date.now());
    const session = rig.session("nightly");
    rig.submit(session, 0, [payload("a"), payload("b")]);
    rig.submit(rig.session("other"), 0, [payload("c")], { service: "lower" });
    await rig.rest();
    rig.join();
    const runs = [...rig.core.scheduler.running(NODE)].filter(({ service }) => service === "upper");
    expect(runs).toHaveLength(2);
    for (const run of runs) {
      rig.parts.watch.attemptFailed(
        { number: 3, id: NODE },
        run,
        { code: "out_of_stock", message: "none" },
        5,
      );
      rig.fail(run);
    }
    await rig.rest();
    feed.tick(Date.now());
    expect(listener.last.errors).toMatchObject([
      { code: "out_of_stock", service: "upper", node: NODE, times: 2 },
    ]);
    expect(listener.last.tasks).toMatchObject({ node: [3, 3], ms: [5, 5], ok: [0, 0] });
    expect(listener.last.jobs!.now).toEqual([
      [0, 2, 0, 0, 2],
      [1, 1, 1, 0, 0],
    ]);
    rig.parts.watch.mishap({ code: "unreachable", message: "gone", node: NODE });
    feed.tick(Date.now());
    expect(listener.last.errors).toHaveLength(1);
    rig.stop();
  });

  it("gets a sample a second, and percentiles only of what was answered lately", async () => {
    const { rig, feed } = await watched();
    for (let at = 0; at <= 5000; at += 250) feed.tick(at);
    const listener = new Listener();
    feed.add(listener, 5100);
    const { columns, samples } = listener.last.history!;
    expect(columns!.slice(0, 3)).toEqual(["at", "submitted", "solved"]);
    expect(samples).toHaveLength(6);
    expect(samples.at(-1)!.slice(-2)).toEqual([null, null]);
    const { latencies } = rig.parts.watch;
    for (let ms = 1; ms <= 100; ms++) latencies.add(ms, 20_000);
    expect(latencies.percentiles(20_000)).toEqual([51, 96]);
    expect(latencies.percentiles(31_000)).toEqual([null, null]);
    rig.stop();
  });
});

it("tasks are written down while somebody watches, the last of them, and what is too much is counted", async () => {
  const { rig, feed } = await watched();
  const { tasks } = rig.parts.watch;
  expect(tasks.records(0)).toBe(false);
  const listener = new Listener();
  feed.add(listener, 0);
  expect([tasks.records(59_999), tasks.records(60_001)]).toEqual([true, false]);
  for (let i = 0; i < 3000; i++) tasks.add(7, 1, i, 0.26, i % 2 === 0);
  feed.tick(250);
  const told = listener.last.tasks as unknown as {
    node: number[];
    ms: number[];
    ok: number[];
    skipped: number;
  };
  expect([told.node.length, told.skipped]).toEqual([2048, 952]);
  expect([told.node[0], told.ms[0], told.ok.slice(0, 2)]).toEqual([7, 0.3, [1, 0]]);
  const late = new Listener();
  feed.add(late, 300);
  expect(late.last.tasks!.node).toHaveLength(3000);
  rig.stop();
});
