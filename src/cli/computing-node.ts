// flockwork computing-node: answers jobs with their text in upper case, as AML-IP's demo node does.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { ComputingNode, type ServiceFunction } from "../flock/index.node.js";
import { wholeNumber } from "./arguments.js";
import { onInterrupt } from "./interrupt.js";
import { joinFlags, joinOptions, remarkOn, type JoinFlags } from "./joining.js";
import { remark, say } from "./screen.js";

interface ComputingFlags extends JoinFlags {
  readonly delay?: number;
  readonly slots: number;
  readonly quiet?: boolean;
}

export function addComputingNode(program: Command): void {
  joinFlags(program.command("computing-node"), "AMLComputingNode")
    .description('Answer jobs of the service "upper" with their text in upper case, after 1 to 5 seconds.')
    .argument("[n]", "leave after this many jobs (default: stay)", wholeNumber("n", 1, 1_000_000_000))
    .option("--delay <ms>", "take this long for each job instead", wholeNumber("--delay", 0, 3_600_000))
    .option("--slots <n>", "jobs at the same time", wholeNumber("--slots", 1, 1024), 1)
    .option("-q, --quiet", "no line for each job")
    .action(run);
}

async function run(limit: number | undefined, flags: ComputingFlags): Promise<void> {
  const tell = flags.quiet ? () => undefined : say;
  let answered = 0;
  const upper: ServiceFunction = async (job, { signal }) => {
    const text = job.text();
    tell(` Received Job: <${text}>. Processing...`);
    const delay = flags.delay ?? 1000 + Math.random() * 4000;
    if (delay > 0) await sleep(delay, undefined, { signal });
    const solution = text.toUpperCase();
    tell(` Answering Solution: <${solution}>.`);
    answered++;
    const left = limit === undefined ? "" : ` ${limit - answered} remaining.`;
    tell(`Computing Node ID{${node.id}} answered task.${left}`);
    return solution;
  };
  const stop = onInterrupt(
    () => leave(),
    () => void node.abort(),
  );
  let leave = (): void => process.exit(130);
  const node = await ComputingNode.join({
    ...joinOptions(flags),
    slots: flags.slots,
    services: { upper: { run: upper, idempotent: true } },
    ...(limit !== undefined && { limit }),
    onNotice: remarkOn,
  });
  leave = () => {
    remark("finishing the running job; press Ctrl-C again to abort it");
    void node.close();
  };
  say(
    limit === undefined
      ? `Computing Node ID{${node.id}} ready.`
      : `Computing Node ID{${node.id}} computing ${limit} tasks.`,
  );
  await node.closed;
  stop();
  say(`Computing Node ID{${node.id}} closing.`);
}
