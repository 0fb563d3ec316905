// Hub, computing nodes and main node in one process, over real sockets: the API as people use it.
import { afterEach, describe, expect, it } from "vitest";
import {
  ComputingNode,
  hubAddress,
  JobError,
  MainNode,
  startHub,
  Tensor,
  type Hub,
  type JoinOptions,
} from "./index.node.js";
import type { ComputingNodeOptions } from "../node/index.js";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startedHub(): Promise<Hub> {
  const hub = await startHub({ port: 0, log: { level: "silent" } });
  ends.push(() => hub.close());
  return hub;
}

async function node(
  hub: Hub,
  services: ComputingNodeOptions["services"],
  more: Partial<JoinOptions<ComputingNodeOptions>> = {},
) {
  const joined = await ComputingNode.join({ hub: hub.url, services, ...more });
  ends.push(() => joined.abort());
  return joined;
}

async function mainNode(hub: Hub) {
  const main = await MainNode.join({ hub: hub.url });
  ends.push(() => main.close());
  return main;
}

const texts = async (results: AsyncIterable<{ ok: boolean; index: number }>) => {
  const all: number[] = [];
  for await (const result of results) {
    expect(result.ok).toBe(true);
    all.push(result.index);
  }
  return all;
};

describe("payloads", () => {
  it("arrive as they were sent, in every kind", async () => {
    const hub = await startedHub();
    await node(hub, { echo: (job) => job.value() });
    const main = await mainNode(hub);
    const values = [
      new Uint8Array(),
      Uint8Array.of(0, 1, 0, 255),
      "",
      "a\0b\u{1F426}",
      { deep: [1, null, "x", { y: false }] },
      [],
      null,
      new Tensor("float32", [2, 2], Float32Array.of(1, 2, 3, 4)),
      new Tensor("int64", [], BigInt64Array.of(-5n)),
      new Tensor("float64", [0, 3], new Float64Array()),
    ];
    for (const value of values) {
      const got = (await main.request("echo", value)).value();
      if (value instanceof Tensor) expect(String(got)).toBe(String(value));
      else expect(got).toEqual(value);
    }
  });

  it("say how they are to be read when they are read otherwise", async () => {
    const hub = await startedHub();
    await node(hub, { upper: (job) => job.text().toUpperCase() });
    const main = await mainNode(hub);
    const error = await main
      .request("upper", new Tensor("uint8", [1], Uint8Array.of(1)), { attempts: 1 })
      .then(
        () => undefined,
        (reason: unknown) => reason as JobError,
      );
    expect(error).toBeInstanceOf(JobError);
    expect(error?.message).toMatch(/read it with \.tensor\(\)/);
  });
});

describe("a computing node with a limit", () => {
  it("answers as many jobs as it said, and others do the rest", async () => {
    for (const slots of [1, 4]) {
      const hub = await startedHub();
      const counts = { short: 0, long: 0 };
      const count = (who: "short" | "long") => async (job: { text(): string }) => {
        counts[who]++;
        await new Promise((resolve) => setTimeout(resolve, 2));
        return job.text();
      };
      const short = await node(hub, { work: count("short") }, { slots, limit: 3 });
      const main = await mainNode(hub);
      const batch = main.submit(
        "work",
        Array.from({ length: 40 }, (_, i) => `${i}`),
      );
      await short.closed;
      expect([counts.short, short.answered, short.state]).toEqual([3, 3, "stopped"]);
      await node(hub, { work: count("long") });
      await texts(batch);
      expect(counts).toEqual({ short: 3, long: 37 });
    }
  });

  it("takes nothing new once it is leaving", async () => {
    const hub = await startedHub();
    let release!: () => void;
    let began = 0;
    const leaving = await node(hub, {
      work: async () => {
        began++;
        await new Promise<void>((resolve) => (release = resolve));
        return "by the one that leaves";
      },
    });
    const main = await mainNode(hub);
    const batch = main.submit("work", ["a", "b", "c"]);
    while (began === 0) await new Promise((resolve) => setImmediate(resolve));
    const closed = leaving.close();
    await node(hub, { work: () => "by the other" });
    const by: string[] = [];
    for await (const result of batch) {
      if (result.ok) by.push(result.text());
      if (by.length === 2) release();
    }
    await closed;
    expect(by.sort()).toEqual(["by the one that leaves", "by the other", "by the other"]);
    expect(began).toBe(1);
  });
});

it("a computing node runs more at once when it is told to, and fewer", async () => {
  const hub = await startedHub();
  let [under, most] = [0, 0];
  const ends: (() => void)[] = [];
  const held = await node(hub, {
    hold: async () => {
      most = Math.max(most, ++under);
      await new Promise<void>((end) => ends.push(end));
      under--;
      return "x";
    },
  });
  const main = await mainNode(hub);
  const results = texts(main.submit("hold", Array.from({ length: 8 }, String)));
  const beginning = async (n: number) => {
    while (ends.length < n) await new Promise((next) => setTimeout(next, 1));
    return ends.splice(0);
  };
  const [first] = await beginning(1);
  held.resize(3);
  const others = await beginning(2);
  expect([under, most, held.slots]).toEqual([3, 3, 3]);
  held.resize(1);
  most = 0;
  for (const end of [first!, ...others]) end();
  for (let i = 0; i < 5; i++) (await beginning(1))[0]!();
  expect((await results).length).toBe(8);
  expect(most).toBe(1);
  expect(() => held.resize(0)).toThrow(/slots is 0; a node has 1 to 1024/);
});

describe("inputs", () => {
  it("hand solutions of earlier jobs to later ones, wherever they ran", async () => {
    const hub = await startedHub();
    await node(hub, { number: (job) => Number(job.text()) });
    await node(hub, {
      sum: (job) => job.inputs.reduce((sum, input) => sum + Number(input.json()), Number(job.text())),
    });
    const main = await mainNode(hub);
    const two = main.request("number", "2");
    const three = main.request("number", "3");
    const five = main.request("sum", "0", { inputs: [two, three] });
    const ten = main.request("sum", "2", { inputs: [five, three] });
    expect((await ten).json()).toBe(10);
    expect((await five).json()).toBe(5);
  });

  it("fail what waits for them when they fail", async () => {
    const hub = await startedHub();
    await node(hub, {
      bad: () => {
        throw new Error("no");
      },
      good: () => 1,
    });
    const main = await mainNode(hub);
    const bad = main.request("bad", "x", { attempts: 1 });
    await expect(main.request("good", "y", { inputs: [bad] })).rejects.toMatchObject({
      code: "input_failed",
    });
  });
});

describe("joining", () => {
  it("calls no service before whoever joins holds the node", async () => {
    const hub = await startedHub();
    const main = await mainNode(hub);
    const waiting = [1, 2, 3].map(() => main.request("who", "", { attempts: 1 }));
    while (
      !(await (await fetch(hub.url.replace("ws", "http") + "/api/jobs")).text()).includes('"waiting": 3')
    );
    const worker: ComputingNode = await node(hub, { who: () => worker.id });
    for (const solution of await Promise.all(waiting)) expect(solution.text()).toBe(worker.id);
  });

  it("says what is wrong with an address", () => {
    expect(hubAddress("http://localhost:9999/x")).toBe("ws://localhost:9999");
    expect(() => hubAddress("localhost 9999")).toThrow(/write it like ws:\/\/localhost:9999/);
    expect(() => hubAddress("ftp://localhost")).toThrow(/ftp:\/\/localhost/);
  });

  it("keeps domains apart", async () => {
    const hub = await startedHub();
    await node(hub, { who: () => "ten" }, { domain: 10 });
    await node(hub, { who: () => "eleven" }, { domain: "11" });
    for (const [domain, answer] of [
      [11, "eleven"],
      [10, "ten"],
    ] as const) {
      const main = await MainNode.join({ hub: hub.url, domain });
      ends.push(() => main.close());
      for (let i = 0; i < 5; i++) expect((await main.request("who", "")).text()).toBe(answer);
    }
  });
});
