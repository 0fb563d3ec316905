// A hub that is killed or stopped under load and comes back on its port and data: nothing acknowledged is lost, nothing comes
// twice.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { JobError } from "../../dist/flock/index.node.js";
import { figure, Flock, until, type HubProcess } from "../flock.js";

const SENDER = fileURLToPath(new URL("../sender.mjs", import.meta.url));

describe("a hub killed with SIGKILL under load and restarted", () => {
  it("is found again within 2 s, and every job is solved once at its client", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    let hub = await flock.hub();
    const { url, port } = hub;
    const workers = await Promise.all([flock.worker(url), flock.worker(url)]);
    let upAt = 0;
    const mains = await Promise.all(
      [0, 1].map(() => flock.main(url, { onUp: () => (upAt = performance.now()) })),
    );
    const jobs = Array.from({ length: 60_000 }, (_, i) => `job${i}`);
    const counts = mains.map(() => new Uint8Array(jobs.length));
    let settled = 0;
    const done = Promise.all(
      mains.map(async (main, m) => {
        for await (const result of main.submit(
          "quiet",
          paced(jobs, () => settled),
        )) {
          if (!result.ok) throw result.error;
          expect(result.text()).toBe(`JOB${result.index}`);
          counts[m]![result.index]!++;
          settled++;
        }
      }),
    );
    done.catch(() => undefined);
    for (const at of [5000, 40_000, 80_000]) {
      await until(
        `${at} jobs`,
        () => settled,
        (now) => now >= at,
        30_000,
      );
      await hub.program.kill();
      const before = settled;
      hub = await flock.hub({ port });
      const listens = performance.now();
      await until(
        "the nodes' return",
        () => hub.nodes(),
        (nodes) => nodes.filter((node) => node.state === "running").length === 2,
      );
      const nodesBack = performance.now() - listens;
      await until(
        "the clients' return",
        () => mains.map((main) => main.state),
        (all) => all.every((s) => s === "running"),
      );
      figure(
        "hub restarted under load",
        `nodes back after ${Math.round(nodesBack)} ms, clients after ${Math.round(Math.max(0, upAt - listens))} ms ` +
          `(wanted: 2000), ${settled - before} jobs meanwhile`,
      );
      expect(nodesBack).toBeLessThan(3000);
      expect(upAt - listens).toBeLessThan(3000);
    }
    await done;
    for (const count of counts) expect(count.every((n) => n === 1)).toBe(true);
    // The same processes all along.
    for (const worker of workers)
      expect((await worker.program.saidTimes(/^up$/, 4)).length).toBeGreaterThanOrEqual(4);
    await until(
      "every acknowledgement",
      () => hub.jobs(),
      (now) => now.sessions.every((s) => s.unacknowledged === 0),
    );
  });
});

describe.concurrent("a hub that dies", () => {
  it("with its clients keeps what it had acknowledged", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    let hub = await flock.hub();
    const { port } = hub;
    const jobs = Array.from({ length: 500 }, (_, i) => `job${i}`);
    const options = { hub: hub.url, session: "nightly", service: "quiet" };
    const first = flock.script(SENDER, JSON.stringify({ ...options, jobs }));
    await until(
      "500 acknowledged jobs",
      () => hub.jobs(),
      (now) => now.submitted === 500,
    );
    await Promise.all([hub.program.kill(), first.kill()]);
    hub = await flock.hub({ port });
    expect((await hub.jobs()).waiting).toBe(500);
    await flock.worker(hub.url);
    const second = flock.script(SENDER, JSON.stringify(options));
    await second.said(/^ready 500$/);
    await second.said(/^resumed$/);
    const missed = second.out.filter((line) => line.startsWith("missed "));
    expect(missed.sort()).toEqual(jobs.map((job) => `missed ${job.toUpperCase()}`).sort());
  });

  it("in mid job does not make its node begin again", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    let hub = await flock.hub();
    const { port } = hub;
    const worker = await flock.worker(hub.url, { slots: 2 });
    const idle = await flock.worker(hub.url, { name: "idle", slots: 2 });
    const main = await flock.main(hub.url);
    const batch = main.submit("slow", ["a 8000", "b 8000", "c 8000"]);
    await until(
      "three runs",
      () => worker.began.length + idle.began.length,
      (n) => n === 3,
    );
    await hub.program.kill();
    hub = await flock.hub({ port });
    const texts: string[] = [];
    for await (const result of batch) texts.push(result.ok ? result.text() : result.error.message);
    expect(texts.sort()).toEqual(["A", "B", "C"]);
    expect([...worker.began, ...idle.began].sort()).toEqual(["a", "b", "c"]);
  });

  it("without a data directory says so for what it had taken, and the rest is solved", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    let hub = await flock.hub({ ephemeral: true });
    const { port } = hub;
    const worker = await flock.worker(hub.url, { services: ["upper"] });
    const main = await flock.main(hub.url);
    const lost = main.request("slow", "lost").catch((error: unknown) => (error as JobError).code);
    // Its acknowledgement came before this solution.
    await main.request("upper", "first");
    await worker.program.kill();
    await hub.program.kill();
    hub = await flock.hub({ ephemeral: true, port });
    expect(await lost).toBe("hub_lost");
    await flock.worker(hub.url);
    expect((await main.request("upper", "found")).text()).toBe("FOUND");
  });

  it("on SIGTERM under load takes nothing new, is gone in 10 s, and loses nothing", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    let hub = await flock.hub();
    const { port } = hub;
    await Promise.all([flock.worker(hub.url), flock.worker(hub.url)]);
    const main = await flock.main(hub.url);
    const seen = new Uint8Array(40_000);
    let settled = 0;
    const jobs = Array.from(seen, (_, i) => `job${i}`);
    const done = (async () => {
      for await (const result of main.submit("quiet", jobs)) {
        if (!result.ok) throw result.error;
        seen[result.index]!++;
        settled++;
      }
    })();
    await until(
      "a tenth",
      () => settled,
      (now) => now > 4000,
    );
    const asked = performance.now();
    hub.program.signal("SIGTERM");
    expect(await hub.program.ended).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    hub = await flock.hub({ port });
    await done;
    expect(seen.every((n) => n === 1)).toBe(true);
  });
});

describe.concurrent("a second hub on the same data", () => {
  it("gets one line", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub: HubProcess = await flock.hub();
    const second = flock.command(
      "up",
      "--port",
      "0",
      "--data",
      `${flock.folder}/data`,
      "--log-level",
      "silent",
    );
    expect(await second.ended).toBe(1);
    expect(second.out).toEqual([]);
    expect(second.err).toHaveLength(1);
    expect(second.err[0]).toContain(hub.url);
  });
});

/** Jobs as they are wanted: never more than 8,000 ahead of what has been settled, so that a kill meets work on its way. */
async function* paced(jobs: readonly string[], settled: () => number): AsyncIterable<string> {
  for (const [i, job] of jobs.entries()) {
    if (i % 1000 === 0) while (i - settled() / 2 > 8000) await new Promise((next) => setTimeout(next, 5));
    yield job;
  }
}
