// flockwork sim: virtual nodes round the production scheduler; prints how near the bound it came, and at what cost.
import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { FlockworkError } from "../ids/index.js";
import { SCENARIOS, Simulation, parseScenario, report, scenario, sweep, write } from "../sim/index.js";
import type { Outcome, Scenario } from "../sim/index.js";
import { wholeNumber } from "./arguments.js";
import { bold, progressBar, say } from "./screen.js";

interface SimFlags {
  readonly scenario: string;
  readonly nodes?: number;
  readonly tasks?: number;
  readonly seed: number;
  readonly sizes?: Scenario["sizes"];
  readonly json?: boolean;
  readonly sweep?: number;
  readonly report?: string;
}

export function addSim(program: Command): void {
  program
    .command("sim")
    .description("Simulate a flock round the production scheduler, and judge the run by its bound.")
    .option("--scenario <name>", `${Object.keys(SCENARIOS).join(", ")}, or a JSON file`, "calm")
    .option("--nodes <n>", "how many nodes", wholeNumber("--nodes", 1, 10_000_000))
    .option("--tasks <n>", "how many tasks", wholeNumber("--tasks", 1, 100_000_000))
    .option("--sizes <kind>", "equal, exponential or heavy")
    .option("--seed <n>", "the same seed gives the same run", wholeNumber("--seed", 0, 2 ** 31 - 1), 1)
    .option(
      "--sweep <n>",
      "run this many seeds under the laws; shrink the first that breaks one",
      wholeNumber("--sweep", 1, 10_000_000),
    )
    .option("--report <file>", "write an HTML report of the run, with its charts")
    .option("--json", "print the outcome as one line of JSON")
    .action(run);
}

function run(flags: SimFlags): void {
  const chosen = choose(flags);
  if (flags.sweep !== undefined) {
    sweepSeeds(chosen, flags.seed, flags.sweep);
    return;
  }
  const started = performance.now();
  const script = write(chosen, flags.seed);
  const clock = () => performance.now();
  let outcome: Outcome;
  if (flags.report === undefined) outcome = new Simulation(script, { clock }).run();
  else {
    const drawn = report(script, { clock });
    outcome = drawn.outcome;
    save(flags.report, drawn.html);
  }
  const seconds = (performance.now() - started) / 1000;
  if (flags.json)
    console.log(JSON.stringify({ ...outcome, histogram: undefined, seconds, peakMiB: peakMiB() }));
  else print(chosen, outcome, seconds);
  if (outcome.stuck) process.exitCode = 1;
}

function save(file: string, html: string): void {
  try {
    writeFileSync(file, html);
  } catch (error) {
    throw new FlockworkError("bad_argument", `The report can not be written: ${(error as Error).message}.`);
  }
}

function sweepSeeds(chosen: Scenario, first: number, count: number): void {
  const started = performance.now();
  const bar = progressBar(count);
  let seeds = 0;
  const failing = sweep(chosen, first, count, undefined, () => bar.update(++seeds));
  bar.end();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (failing === null) {
    say(`${bold(chosen.name)}: every law held with each of ${count} seeds, from ${first} on (${seconds} s).`);
    return;
  }
  const { script, why } = failing;
  say(`${bold(chosen.name)}, seed ${script.seed}: ${why}`);
  say(`The shortest events that do it, ${script.events.length} of them:`);
  for (const event of script.events) say(`  ${JSON.stringify(event)}`);
  process.exitCode = 1;
}

function choose({ scenario: name, nodes, tasks, sizes }: SimFlags): Scenario {
  const changes = {
    ...(nodes !== undefined && { nodes }),
    ...(tasks !== undefined && { tasks }),
    ...(sizes !== undefined && { sizes }),
  };
  if (!name.endsWith(".json")) return scenario(name, changes);
  let text: string;
  try {
    text = readFileSync(name, "utf8");
  } catch (error) {
    throw new FlockworkError(
      "bad_argument",
      `The scenario file can not be read: ${(error as Error).message}.`,
    );
  }
  return { ...parseScenario(text, name), ...changes };
}

function peakMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

function print(s: Scenario, outcome: Outcome, seconds: number): void {
  const ratio = outcome.makespan / outcome.bound;
  say(`${bold(s.name)}: ${count(s.nodes)} nodes, ${count(s.tasks)} tasks (${s.sizes}), seed ${outcome.seed}`);
  row("makespan", `${time(outcome.makespan)}, ${ratio.toFixed(3)} times the bound of ${time(outcome.bound)}`);
  row(
    "decisions",
    `${count(outcome.decisions)}, ${count(Math.round((outcome.decisions * 1000) / outcome.decidingMs))} per second of deciding`,
  );
  row("memory", `${count(peakMiB())} MiB at its peak, nodes and clients included`);
  row(
    "solved",
    `${count(outcome.solved)}${outcome.failed > 0 ? `, failed ${count(outcome.failed)} ${JSON.stringify(outcome.failures)}` : ""}`,
  );
  row("wasted", `${(100 * outcome.wasted).toFixed(2)} % of the nodes' working time`);
  const { p50, p99, max } = outcome.latency;
  row("latency", `p50 ${time(p50)}, p99 ${time(p99)}, longest ${time(max)}`);
  if (outcome.clients.length > 1)
    for (const [i, c] of outcome.clients.entries())
      row(`  client ${i}`, `${count(c.solved)} solved, p50 ${time(c.p50)}, p99 ${time(c.p99)}`);
  row("digest", outcome.digest);
  row("took", `${seconds.toFixed(1)} s, ${count(outcome.events)} events`);
  if (outcome.stuck) say("STUCK: some tasks never end.");
}

function row(name: string, value: string): void {
  say(`  ${name.padEnd(10)} ${value}`);
}

function count(n: number): string {
  return n.toLocaleString("en");
}

function time(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}
