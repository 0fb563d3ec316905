// Main nodes that are killed and come back by their session's name, and jobs that are cancelled in mid run.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { JobError } from "../../dist/flock/index.node.js";
import { Flock, until } from "../flock.js";

const SENDER = fileURLToPath(new URL("../sender.mjs", import.meta.url));
const texts = (lines: readonly string[], word: string) =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

describe.concurrent("a main node killed and restarted with its session's name", () => {
  it("gets what it had not acknowledged, and only that", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    await flock.worker(hub.url, { slots: 4 });
    const jobs = Array.from({ length: 30 }, (_, i) => `j${i} ${i < 20 ? 0 : 1500}`);
    const options = { hub: hub.url, session: "nightly", service: "slow" };
    const first = flock.script(SENDER, JSON.stringify({ ...options, jobs, take: 10 }));
    // Ten are acknowledged, one is in its hands, nine wait at the hub, the last ones still run.
    await first.said(/^holding /);
    await until(
      "ten acknowledgements",
      () => hub.jobs(),
      (now) => now.acknowledged === 10,
    );
    await first.kill();
    const second = flock.script(SENDER, JSON.stringify(options));
    await second.said(/^ready 20$/);
    await second.said(/^resumed$/);
    const all = [...texts(first.out, "solution"), ...texts(second.out, "missed")];
    expect(all).toHaveLength(30);
    expect(new Set(all)).toEqual(new Set(Array.from({ length: 30 }, (_, i) => `J${i}`)));
    expect(texts(second.out, "missed")).toContain(texts(first.out, "holding")[0]);
    // What the second has taken is acknowledged: a third has missed nothing.
    await until(
      "every acknowledgement",
      () => hub.jobs(),
      (now) => now.acknowledged === 30,
    );
    await second.kill();
    const third = flock.script(SENDER, JSON.stringify({ ...options, jobs: ["last"] }));
    await third.said(/^ready 0$/);
    await third.said(/^holding LAST$/);
  });

  it("is refused while it lives", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    await flock.main(hub.url, { session: "nightly" });
    await expect(flock.main(hub.url, { session: "nightly" })).rejects.toMatchObject({
      code: "session_taken",
    });
    await flock.main(hub.url, { session: "nightly", domain: "another" });
  });

  it("without a name leaves no work behind", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const worker = await flock.worker(hub.url);
    const main = await flock.main(hub.url);
    void main.request("slow", "orphan 600000").catch(() => undefined);
    await worker.runs("orphan");
    await main.close();
    await worker.program.said(/^aborted orphan$/);
    await until(
      "nothing left",
      () => hub.jobs(),
      (now) => now.running === 0 && now.waiting === 0,
    );
  });
});

describe.concurrent("a job cancelled in mid run", () => {
  it("frees its slot, is told to its node, and is never reported solved", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const worker = await flock.worker(hub.url);
    const main = await flock.main(hub.url);
    const stop = new AbortController();
    const job = main.request("slow", "song 600000", { signal: stop.signal });
    await worker.runs("song");
    stop.abort();
    await expect(job).rejects.toMatchObject({ code: "cancelled" });
    await expect(job).rejects.toBeInstanceOf(JobError);
    await worker.program.said(/^aborted song$/);
    expect((await main.request("upper", "next")).text()).toBe("NEXT");
    expect(await hub.jobs()).toMatchObject({ waiting: 0, running: 0, solved: 1, unsolved: 1 });
  });

  it("in a worker kills the worker", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const worker = await flock.worker(hub.url);
    const main = await flock.main(hub.url);
    const stop = new AbortController();
    const job = main.request("spin", "wheel", { signal: stop.signal });
    await worker.runs("wheel");
    stop.abort();
    await expect(job).rejects.toMatchObject({ code: "cancelled" });
    expect((await main.request("upper", "next")).text()).toBe("NEXT");
  });

  it("with its batch: what waits is given up too", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const worker = await flock.worker(hub.url, { slots: 2 });
    const main = await flock.main(hub.url);
    const batch = main.submit(
      "slow",
      Array.from({ length: 200 }, (_, i) => `b${i} 600000`),
    );
    await worker.program.saidTimes(/^run /, 2);
    await batch.cancel();
    for await (const result of batch) expect(!result.ok && result.error.code).toBe("cancelled");
    await worker.program.saidTimes(/^aborted /, 2);
    expect((await main.request("upper", "next")).text()).toBe("NEXT");
    expect(worker.began).toEqual(["b0", "b1", "next"]);
    expect(await hub.jobs()).toMatchObject({ waiting: 0, running: 0, solved: 1, unsolved: 200 });
  });

  it("whose service does not listen is given up all the same", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const deaf = await flock.worker(hub.url, { name: "deaf", services: ["block", "upper"] });
    const main = await flock.main(hub.url);
    const stop = new AbortController();
    const job = main.request("block", "wall 3000", { signal: stop.signal });
    await deaf.runs("wall");
    stop.abort();
    await expect(job).rejects.toMatchObject({ code: "cancelled" });
    expect(deaf.answered).toEqual([]);
    // Its answer comes too late and is dropped; its slot comes back with it.
    expect((await main.request("upper", "next")).text()).toBe("NEXT");
    expect(await hub.jobs()).toMatchObject({ waiting: 0, running: 0, solved: 1, unsolved: 1 });
  });
});
