// AML-IP's timing matrix: clients_servers_messages of 200 ms jobs, each executed exactly once, within AML-IP's own bound.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { figure, Flock, type HubProcess, type WorkerProcess } from "../flock.js";

const JOB_MS = 200;
/** How often the lateness of this machine is looked at. */
const STEP_MS = 5;
/** Clients, servers, messages of each client. */
const CASES = [
  [1, 1, 1],
  [1, 1, 20],
  [1, 5, 5],
  [1, 5, 23],
  [5, 1, 1],
  [5, 1, 5],
  [5, 10, 2],
  [3, 5, 11],
] as const;

let flock: Flock;
let hub: HubProcess;
let workers: WorkerProcess[];
let end: () => Promise<void>;
beforeAll(async () => {
  flock = new Flock((finish) => (end = finish));
  hub = await flock.hub();
  // Node i offers "ofS" where it is among the first S: so many servers has a case, and the processes start once.
  const services = (i: number) =>
    [1, 5, 10].filter((servers) => i < servers).map((servers) => `of${servers}=slow`);
  workers = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      flock.worker(hub.url, { name: `server${i}`, services: services(i) }),
    ),
  );
  // What runs for the first time takes longer: code is compiled, pages are read.
  const main = await flock.main(hub.url);
  await Promise.all(workers.map(() => main.request("of10", `warm ${JOB_MS}`)));
  await main.close();
});
afterAll(() => end());

describe("AML-IP's matrix", () => {
  // AML-IP's bound is a time, so a machine that others load may need a second try; what ran how often holds at each.
  it.each(CASES)(
    "%i clients, %i servers, %i messages each",
    { retry: 2 },
    async (clients, servers, messages) => {
      const mains = await Promise.all(
        Array.from({ length: clients }, (_, c) => flock.main(hub.url, { name: `client${c}` })),
      );
      const name = (c: number, m: number) => `${clients}_${servers}_${messages}-c${c}-m${m}`;
      const before = workers.map((worker) => worker.began.length);
      const lateness = monitorEventLoopDelay({ resolution: STEP_MS });
      lateness.enable();
      const started = performance.now();
      await Promise.all(
        mains.map(async (main, c) => {
          const jobs = Array.from({ length: messages }, (_, m) => `${name(c, m)} ${JOB_MS}`);
          const got: string[] = [];
          for await (const result of main.submit(`of${servers}`, jobs)) {
            if (!result.ok) throw result.error;
            expect(result.text()).toBe(name(c, result.index).toUpperCase());
            got.push(result.text());
          }
          expect(new Set(got).size).toBe(messages);
          expect(got).toHaveLength(messages);
        }),
      );
      const ms = performance.now() - started;
      const rounds = Math.ceil((clients * messages) / servers);
      lateness.disable();
      // AML-IP's bound holds where a process runs when it is due; each round waits for four wakings, late as this one's.
      const late = Math.max(0, lateness.max / 1e6 - 2 * STEP_MS);
      const bound = rounds * (350 + 4 * late) + 35;
      figure(
        `${clients}_${servers}_${messages}`,
        `${Math.round(ms)} ms (AML-IP's bound ${Math.round(bound)}, no overhead ${rounds * JOB_MS})`,
      );
      const wanted = mains.flatMap((_, c) => Array.from({ length: messages }, (_, m) => name(c, m)));
      const ran = workers.flatMap((worker, i) => worker.began.slice(before[i]));
      expect(ran.sort()).toEqual(wanted.sort());
      expect(ms).toBeLessThan(bound);
      await Promise.all(mains.map((main) => main.close()));
    },
  );
});
