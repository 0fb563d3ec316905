// Who comes first does not matter: nodes wait for a hub, jobs for nodes, and two main nodes without a hub share one.
import { describe, expect, it } from "vitest";
import { Flock, freePort, getJson, until, type JobCounts } from "../flock.js";

describe.concurrent("any order of starting", () => {
  it("20 jobs wait for the first computing node", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const main = await flock.main(hub.url);
    const jobs = Array.from({ length: 20 }, (_, i) => `job${i}`);
    const batch = main.submit("upper", jobs);
    await until(
      "20 waiting jobs",
      () => hub.jobs(),
      (now) => now.waiting === 20,
    );
    expect(batch.settled).toBe(0);
    const worker = await flock.worker(hub.url);
    const texts: string[] = [];
    for await (const result of batch) if (result.ok) texts[result.index] = result.text();
    expect(texts).toEqual(jobs.map((job) => job.toUpperCase()));
    expect(worker.began).toEqual(jobs);
  });

  it("the hub comes last", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const port = await freePort();
    const url = `ws://127.0.0.1:${port}`;
    const worker = flock.waitingWorker(url);
    const main = flock.command("main-node", "--hub", url, "first_job", "second job");
    await main.warned(/No hub answers/);
    const hub = await flock.hub({ port });
    await main.said(/for job <first_job> => <FIRST_JOB>\.$/);
    await main.said(/for job <second job> => <SECOND JOB>\.$/);
    expect(await main.ended).toBe(0);
    expect(worker.began).toEqual(["first_job", "second job"]);
    await until(
      "the acknowledgements",
      () => hub.jobs(),
      (now) => now.acknowledged === 2,
    );
  });

  it("a computing node that answers two jobs leaves, as AML-IP's demo does", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const node = flock.command("computing-node", "2", "--delay", "0", "--hub", hub.url);
    await node.said(/^Computing Node ID\{AMLComputingNode(\.[0-9a-f]{2}){4}\} computing 2 tasks\.$/);
    const main = flock.command("main-node", "--hub", hub.url, "first_job", "second job");
    expect(await main.ended).toBe(0);
    expect(await node.ended).toBe(0);
    const id = /ID\{(.*)\}/.exec(node.out[0]!)![1]!;
    expect(node.out.slice(1)).toEqual([
      " Received Job: <first_job>. Processing...",
      " Answering Solution: <FIRST_JOB>.",
      `Computing Node ID{${id}} answered task. 1 remaining.`,
      " Received Job: <second job>. Processing...",
      " Answering Solution: <SECOND JOB>.",
      `Computing Node ID{${id}} answered task. 0 remaining.`,
      `Computing Node ID{${id}} closing.`,
    ]);
    const self = /Main Node (\S+) ready/.exec(main.out[0]!)![1]!;
    expect(main.out).toEqual([
      `Main Node ${self} ready.`,
      `Main Node ${self} sending task <first_job>.`,
      `Main Node ${self} sending task <second job>.`,
      `Main Node received solution from ${id} for job <first_job> => <FIRST_JOB>.`,
      `Main Node received solution from ${id} for job <second job> => <SECOND JOB>.`,
      `Main Node ${self} closing.`,
    ]);
    expect([...main.err, ...node.err]).toEqual([]);
  });
});

describe.concurrent("main nodes without a hub", () => {
  it("that start at once end up on one, and both get their solutions", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const here = { FLOCKWORK_PORT: String(await freePort()) };
    const mains = ["first", "second", "third"].map((job) => flock.commandIn(here, "main-node", job));
    await Promise.all(mains.map((main) => main.said(/sending task/)));
    // One node that answers three jobs: they can only have come over one hub.
    const node = flock.commandIn(here, "computing-node", "3", "--delay", "0");
    for (const main of mains) await main.said(/ => <(FIRST|SECOND|THIRD)>/);
    expect(await Promise.all(mains.map((main) => main.ended))).toEqual([0, 0, 0]);
    await node.said(/answered task\. 0 remaining/);
  });

  it("go on when the one with the hub in it is killed", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const here = { FLOCKWORK_PORT: String(await freePort()) };
    const first = flock.commandIn(here, "main-node", "--session", "nightly", "first");
    await first.said(/sending task/);
    const second = flock.commandIn(here, "main-node", "second");
    await second.said(/sending task/);
    const url = `http://127.0.0.1:${here.FLOCKWORK_PORT}/api/jobs`;
    await until(
      "both jobs",
      () => getJson<JobCounts>(url),
      (now) => now.waiting === 2,
    );
    await first.kill();
    await second.warned(/the hub is there/);
    // The second has the hub now, with what the first had left in it.
    const node = flock.commandIn(here, "computing-node", "--delay", "0");
    await second.said(/ => <SECOND>/);
    await node.said(/Solution: <FIRST>/);
    expect(await second.ended).toBe(0);
    const again = flock.commandIn(here, "main-node", "--session", "nightly", "third");
    await again.said(/ => <FIRST>/);
    await again.said(/ => <THIRD>/);
    expect(await again.ended).toBe(0);
  });

  it("leave the place of a hub that somebody started on purpose", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const here = { FLOCKWORK_PORT: String(await freePort()) };
    const hub = flock.commandIn(here, "up");
    await hub.said(/listens on/);
    const main = flock.commandIn(here, "main-node", "job");
    await main.said(/sending task/);
    await hub.kill();
    // Whoever had taken the port meanwhile would be in its way.
    await flock.commandIn(here, "up").said(/listens on/);
    const node = flock.commandIn(here, "computing-node", "1", "--delay", "0");
    await main.said(/ => <JOB>/);
    expect(await main.ended).toBe(0);
    expect(await node.ended).toBe(0);
  });
});
