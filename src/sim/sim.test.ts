// The production scheduler under chaos, and whether the laws would notice if it were wrong.
// FLOCKWORK_SEEDS sets how many seeds of chaos are run (the bench runs 1,000), FLOCKWORK_MUTANT_SEEDS how many a mutant has.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Scheduler } from "../scheduler/index.js";
import type { Brain, Script } from "./index.js";
import { Simulation, judge, parseScenario, scenario, shrink, sweep, write } from "./index.js";
import { FAULTS, mutant } from "./mutants.testing.js";

const SEEDS = Number(process.env.FLOCKWORK_SEEDS ?? 300);
const MUTANT_SEEDS = Number(process.env.FLOCKWORK_MUTANT_SEEDS ?? 600);

describe("chaos", () => {
  it.each(["chaos", "graph", "crashes"])("%s: every law holds with every seed", (name) => {
    const small = { graph: { nodes: 12, tasks: 150 }, crashes: { nodes: 20, tasks: 200 } }[name] ?? {};
    const failing = sweep(scenario(name, small), 1, name === "chaos" ? SEEDS : Math.ceil(SEEDS / 10));
    expect(
      failing && { why: failing.why, seed: failing.script.seed, events: failing.script.events },
    ).toBeNull();
  });
});

describe("mutants", () => {
  it.each(FAULTS.map((fault) => [fault.name, fault] as const))("is caught: %s", async (_, fault) => {
    const Mutant = await mutant(fault);
    const chaos = scenario("chaos");
    let why: string | undefined;
    for (let seed = 1; seed <= MUTANT_SEEDS && why === undefined; seed++)
      ({ why } = judge(write(chaos, seed), (life, of) => new Mutant({}, of + life)));
    expect(why).toBeDefined();
  });
});

describe("shrinking", () => {
  it("finds the few events that a planted bug needs", () => {
    // From the moment on at which a second node has left, nothing is dispatched any more.
    const planted = (_: number, seed: number): Brain => {
      const scheduler = new Scheduler<number>({}, seed);
      let left = 0;
      return {
        handle: (event, now) => {
          if (event.type === "NodeLeft" && ++left === 2) scheduler.handle({ type: "DispatchPaused" }, now);
          return scheduler.handle(event, now);
        },
        nextTimer: () => scheduler.nextTimer(),
        digest: () => scheduler.digest(),
        counts: () => scheduler.counts(),
        look: (task) => scheduler.look(task),
        decisions: 0,
      };
    };
    const failing = sweep(scenario("chaos", { hubRestarts: 0 }), 1, 50, planted)!;
    const kinds = failing.script.events.map((event) => event.kind);
    // Its two steady nodes, two that leave, and one task after that.
    expect(kinds.length).toBeLessThanOrEqual(8);
    expect(kinds.filter((kind) => kind === "leave" || kind === "crash" || kind === "drain")).toHaveLength(2);
    expect(kinds.filter((kind) => kind === "submit").length).toBeLessThanOrEqual(2);
    expect(judge(failing.script, planted).why).toBe(failing.why);
    expect(judge(failing.script).why).toBeUndefined();
    expect(shrink(failing, planted).script.events).toHaveLength(kinds.length);
  });
});

describe("digests", () => {
  const run = (script: Script) => new Simulation(script).run().digest;

  it("are equal for equal scripts, also in another process, and differ for others", () => {
    const script = write(scenario("chaos"), 7);
    expect(run(script)).toBe(run(script));
    expect(run(write(scenario("chaos"), 8))).not.toBe(run(script));
    const cli = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
    const args = ["--import", "tsx", cli, "sim", "--scenario", "chaos", "--seed", "7", "--json"];
    const printed = JSON.parse(
      execFileSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 }),
    ) as { digest: string };
    expect(printed.digest).toBe(run(script));
  });
});

describe("placement", () => {
  const ratio = (script: Script) => {
    const outcome = new Simulation(script).run();
    expect(outcome.stuck).toBe(false);
    return outcome.makespan / outcome.bound;
  };

  it("comes within 1.15 of the bound though a tenth of the nodes leave", () => {
    expect(ratio(write(scenario("churn", { nodes: 2000, tasks: 40_000 }), 3))).toBeLessThan(1.15);
  });

  it("finds out which of eight nodes is ten times slower than its benchmark said", () => {
    expect(ratio(write(scenario("liar"), 3))).toBeLessThan(1.2);
  });

  it("lets a small client's tasks take at most twice as long as alone, beside one with a hundred times as many", () => {
    const both = scenario("unfair");
    const beside = new Simulation(write(both, 3)).run().clients[1]!;
    const alone = new Simulation(write({ ...both, tasks: 200, clients: [both.clients[1]!] }, 3)).run()
      .clients[0]!;
    expect(beside.solved).toBe(alone.solved);
    expect(beside.p50).toBeLessThan(2 * alone.p50);
    expect(beside.p99).toBeLessThan(2 * alone.p99);
  });
});

describe("scenario files", () => {
  it("start from a scenario and change it", () => {
    expect(parseScenario(`{"from":"churn","nodes":7}`, "f.json")).toMatchObject({
      nodes: 7,
      leave: 0.1,
      name: "f.json",
    });
  });

  it.each([
    [`{"nodes":"7"}`, /"nodes" is "7"/],
    [`{"noodles":7}`, /no "noodles"/],
    [`{"nodes":-1}`, /nodes is -1/],
    [`{"from":"nowhere"}`, /no scenario "nowhere"/],
    [`[]`, /one JSON object/],
    [`{`, /not JSON/],
  ])("say what is wrong: %s", (text, message) => {
    expect(() => parseScenario(text, "f.json")).toThrow(message);
  });
});
