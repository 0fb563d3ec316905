// flockwork main-node: sends jobs and prints each solution with the node that computed it.
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { MainNode, type Result } from "../flock/index.node.js";
import { FlockworkError } from "../ids/index.js";
import { wholeNumber } from "./arguments.js";
import { onInterrupt } from "./interrupt.js";
import { joinFlags, joinOptions, remarkOn, type JoinFlags } from "./joining.js";
import { bold, dim, green, progressBar, red, say } from "./screen.js";

interface MainFlags extends JoinFlags {
  readonly service: string;
  readonly session?: string;
  readonly deadline?: number;
  readonly attempts?: number;
  readonly attemptTimeout?: number;
  readonly wait?: boolean;
}

/** Past this many jobs a bar tells more than a line for each that is sent. */
const QUIET_FROM = 100;
const DAY_MS = 86_400_000;

export function addMainNode(program: Command): void {
  joinFlags(program.command("main-node"), "AMLMainNode")
    .description(
      "Send jobs and print their solutions. Without jobs, reads them line by line until an empty one.",
    )
    .argument("[jobs...]", "the jobs, as text")
    .option("-s, --service <name>", "what is to be done with them", "upper")
    .option(
      "--session <name>",
      "keep results that are missed for the next main node of this session; print those missed before",
    )
    .option("--deadline <ms>", "give a job up after this time", wholeNumber("--deadline", 1, DAY_MS))
    .option(
      "--attempt-timeout <ms>",
      "try a job elsewhere after this time",
      wholeNumber("--attempt-timeout", 1, DAY_MS),
    )
    .option("--attempts <n>", "tries before a job fails", wholeNumber("--attempts", 1, 1000))
    .option("--wait", "wait for a node with the service, also when the nodes that are there do not have it")
    .action(run);
}

async function run(jobs: string[], flags: MainFlags): Promise<void> {
  let refuse!: (error: FlockworkError) => void;
  const refused = new Promise<never>((_, reject) => (refuse = reject));
  refused.catch(() => undefined);
  let leave = (): void => process.exit(130);
  const stop = onInterrupt(
    () => leave(),
    () => process.exit(130),
  );
  const main = await MainNode.join({
    ...joinOptions(flags),
    ...(flags.session !== undefined && { session: flags.session }),
    onNotice: (notice) => {
      if (notice.code === "unknown_service" && !flags.wait)
        refuse(
          new FlockworkError(
            notice.code,
            notice.message.replace(/ The job waits.*$/, "") +
              " Name another with --service, or wait for one with --wait.",
          ),
        );
      else remarkOn(notice);
    },
  });
  say(`Main Node ${main.id} ready.`);
  let interrupted = false;
  const left = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    leave = () => {
      interrupted = true;
      resolve({ done: true, value: undefined });
    };
  });
  let failed = 0;
  /** Jobs that were sent and not reported yet. */
  const shown = new Map<number, string>();
  try {
    if (main.missed > 0) {
      const missed = main.resume();
      for (;;) {
        const next = await Promise.race([missed.next(), left]);
        if (next.done) break;
        failed += report(next.value, undefined);
      }
    }
    const source = jobs.length > 0 ? jobs : lines();
    const quiet = jobs.length >= QUIET_FROM;
    const bar = progressBar(quiet ? jobs.length : undefined);
    const batch = main.submit(
      flags.service,
      (async function* () {
        let index = 0;
        for await (const job of source) {
          shown.set(index++, job);
          if (!quiet) say(`Main Node ${main.id} sending task <${job}>.`);
          yield job;
        }
      })(),
      {
        ...(flags.deadline !== undefined && { deadlineMs: flags.deadline }),
        ...(flags.attempts !== undefined && { attempts: flags.attempts }),
        ...(flags.attemptTimeout !== undefined && { attemptTimeoutMs: flags.attemptTimeout }),
      },
    );
    const results = batch[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([results.next(), refused, left]);
      if (next.done) break;
      if (quiet) bar.end();
      failed += report(next.value, shown.get(next.value.index));
      shown.delete(next.value.index);
      if (quiet) bar.update(batch.settled);
    }
    bar.end();
  } finally {
    stop();
    if (interrupted) say(`Main Node ${main.id} closed with ${shown.size} solutions remaining. Closing.`);
    else say(`Main Node ${main.id} closing.`);
    await main.close();
  }
  if (interrupted) process.exitCode = 130;
  else if (failed > 0) process.exitCode = 1;
}

function report(result: Result, job: string | undefined): number {
  const of = job === undefined ? "" : ` for job <${job}>`;
  if (result.ok) {
    const text =
      result.kind === "bytes" || result.kind === "tensor"
        ? `${result.size} bytes of ${result.kind}`
        : result.text();
    say(`Main Node received solution from ${bold(result.node)}${of} => <${green(text)}>.`);
    return 0;
  }
  const { error } = result;
  say(`Main Node received no solution${of}: ${red(error.message)} ${dim(`[${error.code}]`)}`);
  return 1;
}

/** Lines of standard input until an empty one. */
async function* lines(): AsyncIterable<string> {
  const terminal = process.stdin.isTTY;
  if (terminal) say("Please enter a string to create a job. Press enter to finish:");
  const input = createInterface({
    input: process.stdin,
    ...(terminal && { output: process.stdout, prompt: "> " }),
  });
  if (terminal) input.prompt();
  for await (const line of input) {
    if (line === "") break;
    yield line;
    if (terminal) input.prompt();
  }
  input.close();
}
