// AML-IP's shapes over a real hub: what its own tests and demos rely on, each with each of the others.
import { afterEach, describe, expect, it } from "vitest";
import type { NodeId } from "../ids/index.js";
import * as amlIp from "./aml-ip.node.js";
import { ComputingNode, MainNode, startHub, type Hub } from "./index.node.js";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function hubOf(): Promise<Hub> {
  const hub = await startHub({ port: 0, log: { level: "silent" } });
  ends.push(() => hub.close());
  return hub;
}

async function kept<T extends { close(): Promise<void> }>(joining: Promise<T>): Promise<T> {
  const node = await joining;
  ends.push(() => node.close());
  return node;
}

const upper = (job: { text(): string }) => job.text().toUpperCase();

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${holds}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function waitingJobs(hub: Hub): Promise<number> {
  const { waiting } = (await (await fetch(`${hub.url.replace("ws", "http")}/api/jobs`)).json()) as {
    waiting: number;
  };
  return waiting;
}

/** An asynchronous main node and what it heard. */
async function asyncMain(hub: Hub, name = "main") {
  const heard: { text: string; taskId: number; serverId: NodeId }[] = [];
  const main = await kept(
    amlIp.AsyncMainNode.join({
      hub: hub.url,
      name,
      callback: (solution, taskId, serverId) => heard.push({ text: solution.text(), taskId, serverId }),
    }),
  );
  return { main, heard };
}

describe("MainNode", () => {
  it("gets the solution and the server's id", async () => {
    const hub = await hubOf();
    const server = await kept(amlIp.AsyncComputingNode.join({ hub: hub.url, callback: upper }));
    server.run();
    const main = await kept(amlIp.MainNode.join({ hub: hub.url }));
    const { solution, serverId } = await main.requestJobSolution("first_job");
    expect([solution.text(), serverId]).toEqual(["FIRST_JOB", server.id]);
    expect([main.nodeKind, main.currentState]).toEqual(["main", "running"]);
    await main.close();
    expect(main.currentState).toBe("stopped");
  });
});

describe("AsyncMainNode", () => {
  it("returns at once with task ids from 0, which the solutions and the server name too", async () => {
    const hub = await hubOf();
    const asked: { taskId: number; clientId: NodeId; text: string }[] = [];
    const { main, heard } = await asyncMain(hub);
    expect(["a", "b", "c"].map((job) => main.requestJobSolution(job))).toEqual([0, 1, 2]);
    const server = await kept(
      amlIp.AsyncComputingNode.join({
        hub: hub.url,
        listener: {
          processJob(job, taskId, clientId) {
            asked.push({ taskId, clientId, text: job.text() });
            return upper(job);
          },
        },
      }),
    );
    server.run();
    await until(() => heard.length === 3);
    const serverId = server.id;
    expect(heard).toEqual(["A", "B", "C"].map((text, taskId) => ({ text, taskId, serverId })));
    expect(asked).toEqual(["a", "b", "c"].map((text, taskId) => ({ taskId, clientId: main.id, text })));
    expect(main.requestJobSolution("d")).toBe(3);
  });

  it("queues 20 jobs while no server is there, and each of several clients gets its own", async () => {
    const hub = await hubOf();
    const clients = await Promise.all(["one", "two", "three"].map((name) => asyncMain(hub, name)));
    for (let i = 0; i < 20; i++)
      for (const { main } of clients) expect(main.requestJobSolution(`${main.id} ${i}`)).toBe(i);
    while ((await waitingJobs(hub)) < 60);
    expect(clients.map(({ heard }) => heard.length)).toEqual([0, 0, 0]);
    const from: string[] = [];
    const server = await kept(
      amlIp.AsyncComputingNode.join({
        hub: hub.url,
        callback: (job, taskId, clientId) => {
          from.push(`${clientId} ${taskId}`);
          return job.text();
        },
      }),
    );
    server.run();
    await until(() => clients.every(({ heard }) => heard.length === 20));
    const all = clients.flatMap(({ main, heard }) => {
      for (const { text, taskId } of heard) expect(text).toBe(`${main.id} ${taskId}`);
      return heard.map(({ text }) => text);
    });
    expect(from.sort()).toEqual(all.sort());
    expect(new Set(all).size).toBe(60);
  });

  it("tells of a job that will have no solution, and refuses what can not travel", async () => {
    const hub = await hubOf();
    const failed: unknown[] = [];
    const main = await kept(
      amlIp.AsyncMainNode.join({
        hub: hub.url,
        callback: () => undefined,
        onFailed: ({ code, message }, taskId) => failed.push([code, taskId, message]),
      }),
    );
    expect(() => main.requestJobSolution(10n)).toThrow(/can not travel/);
    expect(main.requestJobSolution("x", { deadlineMs: 20 })).toBe(0);
    await until(() => failed.length === 1);
    expect(failed).toEqual([["deadline", 0, expect.any(String)]]);
    main.requestJobSolution("left behind");
    await main.close();
    expect(failed).toHaveLength(1);
  });
});

describe("ComputingNode", () => {
  it("serves exactly one job a call, and says whose; a second client waits", async () => {
    const hub = await hubOf();
    const one = await asyncMain(hub, "one");
    const two = await asyncMain(hub, "two");
    one.main.requestJobSolution("from one");
    while ((await waitingJobs(hub)) < 1);
    const server = await kept(amlIp.ComputingNode.join({ hub: hub.url }));
    two.main.requestJobSolution("from two");
    while ((await waitingJobs(hub)) < 2);
    const served: string[] = [];
    const callback = (job: { text(): string }) => {
      served.push(job.text());
      return upper(job);
    };
    expect(await server.processJob({ callback })).toBe(one.main.id);
    await until(() => one.heard.length === 1);
    // The other job is neither run nor held here.
    expect(await waitingJobs(hub)).toBe(1);
    expect([served, two.heard]).toEqual([["from one"], []]);
    expect(await server.processJob({ listener: { processJob: callback } })).toBe(two.main.id);
    await until(() => two.heard.length === 1);
    expect(served).toEqual(["from one", "from two"]);
    expect(two.heard).toEqual([{ text: "FROM TWO", taskId: 0, serverId: server.id }]);
  });

  it("serves one call at a time, and ends the call when it leaves", async () => {
    const hub = await hubOf();
    const server = await kept(amlIp.ComputingNode.join({ hub: hub.url }));
    const waiting = server.processJob({ callback: upper });
    await expect(server.processJob({ callback: upper })).rejects.toThrow(/await it before the next call/);
    const ended = expect(waiting).rejects.toMatchObject({ code: "closed" });
    await server.close();
    await ended;
    await expect(server.processJob({ callback: upper })).rejects.toMatchObject({ code: "closed" });
  });

  it("rejects with what the callback throws, and the main node hears it too", async () => {
    const hub = await hubOf();
    const server = await kept(amlIp.ComputingNode.join({ hub: hub.url }));
    const main = await kept(MainNode.join({ hub: hub.url }));
    const asked = main.request("job", "x", { attempts: 1 });
    const failing = server.processJob({
      callback: () => {
        throw new Error("no flour");
      },
    });
    await expect(failing).rejects.toThrow("no flour");
    await expect(asked).rejects.toMatchObject({ reasons: [{ node: server.id, message: "no flour" }] });
  });

  it("keeps what it is through a break of the hub", async () => {
    const hub = await startHub({ port: 0, log: { level: "silent" } });
    const port = Number(new URL(hub.url).port);
    const server = await kept(amlIp.ComputingNode.join({ hub: hub.url }));
    const { main, heard } = await asyncMain(hub);
    await hub.close();
    const again = await startHub({ port, log: { level: "silent" } });
    ends.push(() => again.close());
    await until(() => server.currentState === "running" && main.currentState === "running");
    main.requestJobSolution("a");
    main.requestJobSolution("b");
    while ((await waitingJobs(again)) < 2);
    expect(await server.processJob({ callback: upper })).toBe(main.id);
    await until(() => heard.length === 1);
    expect(await waitingJobs(again)).toBe(1);
  });
});

describe("AsyncComputingNode", () => {
  it("runs and stops in turn; repeating either throws", async () => {
    const hub = await hubOf();
    const { main, heard } = await asyncMain(hub);
    const server = await kept(amlIp.AsyncComputingNode.join({ hub: hub.url, callback: upper }));
    expect(() => server.stop()).toThrow(/does not run/);
    for (let round = 1; round <= 3; round++) {
      server.run();
      expect(() => server.run()).toThrow(/runs already/);
      main.requestJobSolution("job");
      await until(() => heard.length === round);
      await server.stop();
      expect(() => server.stop()).toThrow(/does not run/);
    }
    main.requestJobSolution("later");
    while ((await waitingJobs(hub)) < 1);
    expect(heard).toHaveLength(3);
  });

  it("one of two stops: what it runs is answered, and 20 more jobs go to the other", async () => {
    const hub = await hubOf();
    const { main, heard } = await asyncMain(hub);
    let release!: () => void;
    let running = false;
    const leaving = await kept(
      amlIp.AsyncComputingNode.join({
        hub: hub.url,
        callback: async (job) => {
          running = true;
          await new Promise<void>((resolve) => (release = resolve));
          return upper(job);
        },
      }),
    );
    leaving.run();
    main.requestJobSolution("slow");
    await until(() => running);
    const other = await kept(amlIp.AsyncComputingNode.join({ hub: hub.url, callback: upper }));
    other.run();
    const stopped = leaving.stop();
    for (let i = 1; i <= 20; i++) main.requestJobSolution(`job ${i}`);
    await until(() => heard.length === 20);
    release();
    await stopped;
    await until(() => heard.length === 21);
    const by = (id: NodeId) => heard.filter(({ serverId }) => serverId === id).map(({ taskId }) => taskId);
    expect(by(leaving.id)).toEqual([0]);
    expect(by(other.id)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it("runs one job at a time", async () => {
    const hub = await hubOf();
    const { main, heard } = await asyncMain(hub);
    let now = 0;
    let most = 0;
    const callback = async (job: { text(): string }) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return upper(job);
    };
    const server = await kept(amlIp.AsyncComputingNode.join({ hub: hub.url, callback }));
    server.run();
    for (let i = 0; i < 20; i++) main.requestJobSolution(`job ${i}`);
    await until(() => heard.length === 20);
    expect(most).toBe(1);
  });
});

describe("a listener or a function", () => {
  const both = { listener: { processJob: upper, solutionReceived: () => undefined }, callback: upper };
  const joins = {
    AsyncMainNode: (hub: string, heard: object) => amlIp.AsyncMainNode.join({ hub, ...heard } as never),
    AsyncComputingNode: (hub: string, heard: object) =>
      amlIp.AsyncComputingNode.join({ hub, ...heard } as never),
    ComputingNode: async (hub: string, heard: object) => {
      const node = await kept(amlIp.ComputingNode.join({ hub }));
      return node.processJob(heard as never);
    },
  };
  for (const [name, join] of Object.entries(joins))
    it(`${name} takes one of them: both, neither and nonsense are errors`, async () => {
      const { url } = await hubOf();
      for (const [heard, what] of [
        [both, /there are both/],
        [{}, /there is neither/],
        [{ callback: "x" }, /callback is a string/],
        [{ listener: {} }, /has no function/],
      ] as const) {
        const joining = join(url, heard);
        await expect(joining).rejects.toMatchObject({ code: "bad_argument" });
        await expect(joining).rejects.toThrow(what);
      }
    });

  it("calls a listener's function as its own", async () => {
    const hub = await hubOf();
    class Upper implements amlIp.JobReplier {
      served = 0;
      processJob(job: { text(): string }) {
        this.served++;
        return upper(job);
      }
    }
    const listener = new Upper();
    const server = await kept(amlIp.AsyncComputingNode.join({ hub: hub.url, listener }));
    server.run();
    const main = await kept(amlIp.MainNode.join({ hub: hub.url }));
    await main.requestJobSolution("x");
    expect(listener.served).toBe(1);
  });
});

describe("mixed pairs", () => {
  const mains = {
    async MainNode(hub: Hub) {
      const main = await kept(amlIp.MainNode.join({ hub: hub.url }));
      return async (job: string) => (await main.requestJobSolution(job)).solution.text();
    },
    async AsyncMainNode(hub: Hub) {
      const { main, heard } = await asyncMain(hub);
      return async (job: string) => {
        const taskId = main.requestJobSolution(job);
        await until(() => heard.some((solution) => solution.taskId === taskId));
        return heard.find((solution) => solution.taskId === taskId)?.text;
      };
    },
    async "Flockwork's MainNode"(hub: Hub) {
      const main = await kept(MainNode.join({ hub: hub.url }));
      return async (job: string) => (await main.request("job", job)).text();
    },
  };
  const servers = {
    async ComputingNode(hub: Hub) {
      const server = await kept(amlIp.ComputingNode.join({ hub: hub.url }));
      void (async () => {
        for (let i = 0; i < 3; i++) await server.processJob({ callback: upper });
      })();
    },
    async AsyncComputingNode(hub: Hub) {
      (await kept(amlIp.AsyncComputingNode.join({ hub: hub.url, callback: upper }))).run();
    },
    async "Flockwork's ComputingNode"(hub: Hub) {
      await kept(ComputingNode.join({ hub: hub.url, services: { job: upper } }));
    },
  };
  for (const [main, asks] of Object.entries(mains))
    for (const [server, serves] of Object.entries(servers))
      it(`${main} with ${server}`, async () => {
        const hub = await hubOf();
        const ask = await asks(hub);
        await serves(hub);
        for (const job of ["one", "two", "three"]) expect(await ask(job)).toBe(job.toUpperCase());
      });
});
