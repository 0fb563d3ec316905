// What is kept apart: domains of one hub, clients of one domain.
import { describe, expect, it } from "vitest";
import { Flock, until } from "../flock.js";

describe.concurrent("domains", () => {
  it("10 and 11 exchange nothing, nor does the default one", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const [ten, eleven] = await Promise.all([
      flock.worker(hub.url, { domain: "10" }),
      flock.worker(hub.url, { domain: "11" }),
    ]);
    const mains = await Promise.all([
      flock.main(hub.url, { domain: "10", session: "same name" }),
      flock.main(hub.url, { domain: 11, session: "same name" }),
      flock.main(hub.url, { session: "same name" }),
    ]);
    const lonely = mains[2]!.submit("upper", ["lonely"]);
    await until(
      "the third one's job",
      () => hub.jobs(),
      (now) => now.waiting === 1,
    );
    await Promise.all(
      mains.slice(0, 2).map(async (main, i) => {
        const jobs = Array.from({ length: 40 }, (_, j) => `d${i}-${j}`);
        const ids = new Set<string>();
        for await (const result of main.submit("upper", jobs)) {
          if (!result.ok) throw result.error;
          expect(result.text()).toBe(`D${i}-${result.index}`);
          ids.add(result.node);
        }
        expect([...ids]).toEqual([await [ten, eleven][i]!.joined()]);
      }),
    );
    expect(ten.began).toHaveLength(40);
    expect(eleven.began).toHaveLength(40);
    expect(lonely.settled).toBe(0);
    const own = await flock.worker(hub.url);
    for await (const result of lonely) expect(result.ok && result.node).toBe(await own.joined());
    expect(own.began).toEqual(["lonely"]);
  });
});

describe.concurrent("clients of one domain", () => {
  // AML-IP's sizes are 5 clients, and 8 clients with 4 servers and 20 tasks each.
  it.for([
    [5, 1, 10],
    [8, 4, 20],
  ] as const)(
    "%i with %i nodes and %i jobs each get their own solutions only",
    async ([clients, nodes, jobs], { onTestFinished }) => {
      const flock = new Flock(onTestFinished);
      const hub = await flock.hub();
      const workers = await Promise.all(
        Array.from({ length: nodes }, (_, i) => flock.worker(hub.url, { name: `node${i}` })),
      );
      await Promise.all(
        Array.from({ length: clients }, async (_, c) => {
          const main = await flock.main(hub.url, { name: `client${c}` });
          const seen = new Set<number>();
          const mine = Array.from({ length: jobs }, (_, j) => `c${c}-${j} 5`);
          for await (const result of main.submit("slow", mine)) {
            if (!result.ok) throw result.error;
            expect(result.text()).toBe(`C${c}-${result.index}`);
            expect(seen.has(result.index)).toBe(false);
            seen.add(result.index);
          }
          expect(seen.size).toBe(jobs);
        }),
      );
      const ran = workers.flatMap((worker) => worker.began);
      expect(ran).toHaveLength(clients * jobs);
      expect(new Set(ran).size).toBe(clients * jobs);
      for (const worker of workers) expect(worker.began.length).toBeGreaterThan(0);
    },
  );
});
