// flockwork demo: a hub, two computing nodes and a main node on this machine, each node a process of its own; then many jobs,
// and a node killed at work.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { MainNode, startHub } from "../flock/index.node.js";
import type { MainNode as Main } from "../flock/index.node.js";
import { FlockworkError } from "../ids/index.js";
import { wholeNumber } from "./arguments.js";
import { bold, dim, green, progressBar, say } from "./screen.js";

const CLI = fileURLToPath(new URL("./main.js", import.meta.url));

export function addDemo(program: Command): void {
  program
    .command("demo")
    .description("See it work: a hub, two computing nodes and a main node on this machine.")
    .option("--jobs <n>", "how many jobs the second part sends", wholeNumber("--jobs", 1, 10_000_000), 10_000)
    .action(run);
}

async function run({ jobs }: { jobs: number }): Promise<void> {
  const children: ChildProcess[] = [];
  const dataDir = mkdtempSync(join(tmpdir(), "flockwork-demo-"));
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  const hub = await startHub({ port: 0, dataDir, log: { level: "error", pretty: true } });
  const start = (name: string, delay: number) => {
    const args = [
      CLI,
      "computing-node",
      "--quiet",
      "--hub",
      hub.url,
      "--name",
      name,
      "--delay",
      String(delay),
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    children.push(child);
    return child;
  };
  let main: Main | undefined;
  try {
    say(`${bold("1.")} A hub on ${hub.url}, two computing nodes, one main node.`);
    const [anna, ben] = [start("anna", 0), start("ben", 0)];
    await Promise.all([ready(anna), ready(ben)]);
    main = await MainNode.join({ hub: hub.url, name: "main" });
    await words(main);
    await many(main, jobs);
    await killOne(main, start, ben);
    say(
      `\nThat was all on one machine. Next: ${bold("flockwork up")}, then ${bold("flockwork computing-node")} elsewhere.`,
    );
  } finally {
    await main?.close();
    for (const child of children) child.kill("SIGKILL");
    await hub.close();
  }
}

async function words(main: Main): Promise<void> {
  for await (const result of main.submit("upper", ["first_job", "second job"]).inOrder()) {
    if (!result.ok) throw result.error;
    say(
      `   ${["first_job", "second job"][result.index]} => ${green(result.text())}  ${dim(`computed by ${result.node}`)}`,
    );
  }
}

async function many(main: Main, jobs: number): Promise<void> {
  say(
    `\n${bold("2.")} ${jobs.toLocaleString("en")} jobs, each stored before it is acknowledged to the main node.`,
  );
  const share = new Map<string, number>();
  const bar = progressBar(jobs);
  const started = performance.now();
  const batch = main.submit(
    "upper",
    Array.from({ length: jobs }, (_, i) => `job ${i}`),
  );
  let done = 0;
  for await (const result of batch) {
    if (!result.ok) throw result.error;
    share.set(result.node, (share.get(result.node) ?? 0) + 1);
    bar.update(++done);
  }
  bar.end();
  const ms = performance.now() - started;
  say(
    `   ${done.toLocaleString("en")} solved in ${Math.round(ms)} ms: ${green(`${Math.round((done * 1000) / ms).toLocaleString("en")} jobs/s`)}`,
  );
  for (const [node, count] of share) say(`   ${node} did ${count.toLocaleString("en")}`);
}

async function killOne(
  main: Main,
  start: (name: string, delay: number) => ChildProcess,
  fast: ChildProcess,
): Promise<void> {
  say(`\n${bold("3.")} A node is killed while it computes; its job is solved elsewhere.`);
  fast.kill("SIGKILL");
  const slow = start("carl", 60_000);
  await ready(slow);
  // Two jobs: one for each node, so the slow one has work when it dies.
  const results = main.submit("upper", ["red", "green"])[Symbol.asyncIterator]();
  const first = await results.next();
  if (!first.done && first.value.ok) say(`   one solved by ${first.value.node}`);
  const killed = performance.now();
  slow.kill("SIGKILL");
  const second = await results.next();
  if (second.done || !second.value.ok)
    throw new FlockworkError("internal", "the demo's second job was not solved");
  say(
    `   carl was killed; ${Math.round(performance.now() - killed)} ms later ${second.value.node} had solved its job`,
  );
  await results.next();
}

/** Waits for the line a node prints when it has joined. */
async function ready(child: ChildProcess): Promise<void> {
  const line = child.stdout === null ? undefined : once(child.stdout, "data");
  await Promise.race([
    line,
    once(child, "exit").then(() => {
      throw new FlockworkError("internal", "a computing node of the demo did not start");
    }),
  ]);
}
