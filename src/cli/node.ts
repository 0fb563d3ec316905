// flockwork node: computes programs for graphs, and serves the functions of a module of the operator's own.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { ComputingNode, type Services } from "../flock/index.node.js";
import { FlockworkError } from "../ids/index.js";
import { wholeNumber } from "./arguments.js";
import { engineFlags, engineOptions, gigas, type EngineFlags } from "./engine-flags.js";
import { onInterrupt } from "./interrupt.js";
import { joinFlags, joinOptions, remarkOn, type JoinFlags } from "./joining.js";
import { remark, say } from "./screen.js";

interface NodeFlags extends JoinFlags, EngineFlags {
  readonly services?: string;
  readonly slots?: number;
  readonly memory: number;
  readonly spill?: string;
  readonly labels?: string[];
  readonly owner?: string;
  readonly programs: boolean;
}

export function addNode(program: Command): void {
  const command = joinFlags(program.command("node"), "node")
    .description(
      "Compute programs of graphs with this machine, and offer the functions of a module of yours.",
    )
    .option("--services <file>", "a module whose exported functions are services, for instance ./mine.js")
    .option("--no-programs", "offer the services only")
    .option(
      "--slots <n>",
      "tasks at the same time (default: one a processor, or 1 with --services)",
      wholeNumber("--slots", 1, 1024),
    );
  engineFlags(command)
    .option(
      "--memory <mib>",
      "values that are kept in memory; more of them go to disk",
      wholeNumber("--memory", 1, 2 ** 22),
      1024,
    )
    .option("--spill <folder>", "where they go (default: the system's folder for temporary files)")
    .option("--labels <words...>", "words that graphs and jobs may ask for")
    .option(
      "--owner <name>",
      "whose node this is, where no token says so: graphs with replicas go to nodes of several owners",
    )
    .action(run);
}

async function run(flags: NodeFlags): Promise<void> {
  if (!flags.programs && flags.services === undefined)
    throw new FlockworkError(
      "bad_argument",
      "--no-programs leaves this node nothing to do: give --services.",
    );
  const services = flags.services === undefined ? undefined : await servicesOf(flags.services);
  const stop = onInterrupt(
    () => leave(),
    () => void node.abort(),
  );
  let leave = (): void => process.exit(130);
  const node = await ComputingNode.join({
    ...joinOptions(flags),
    slots: flags.slots ?? (services === undefined ? availableParallelism() : 1),
    engine: flags.programs && engineOptions(flags),
    valuesMb: flags.memory,
    ...(services && { services }),
    ...(flags.spill !== undefined && { spill: flags.spill }),
    ...(flags.labels && { labels: flags.labels }),
    ...(flags.owner !== undefined && { owner: flags.owner }),
    ...(flags.programs && { memoryMb: flags.programMemory }),
    onNotice: remarkOn,
  });
  leave = () => {
    remark("finishing what runs; press Ctrl-C again to abort it");
    void node.close();
  };
  const offers = services && `offers ${Object.keys(services).join(", ")}`;
  say(`Node ${node.id} ${[computes(node), offers].filter(Boolean).join(", and ")}.`);
  await node.closed;
  stop();
  say(`Node ${node.id} closing.`);
}

function computes({ engine }: ComputingNode): string | undefined {
  if (engine === undefined) return undefined;
  const { facts, figures, slots } = engine;
  return `computes programs: ${slots} x ${facts.name} ${facts.version} (${facts.provider}), ${gigas(figures.flops)} GFLOP/s each`;
}

/** Every exported function is a service under its name; the default export under "default", or an object of functions. */
async function servicesOf(file: string): Promise<Services> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new FlockworkError("bad_argument", `--services ${file}: there is no such file.`);
  const module = pathToFileURL(path).href;
  let exported: Record<string, unknown>;
  try {
    exported = (await import(module)) as Record<string, unknown>;
  } catch (error) {
    throw new FlockworkError(
      "bad_argument",
      `--services ${file} can not be loaded: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const names = Object.keys(exported).filter((name) => typeof exported[name] === "function");
  if (names.length === 0)
    throw new FlockworkError(
      "bad_argument",
      `--services ${file} exports no function; write for instance: export function upper(job) { return job.text().toUpperCase(); }`,
    );
  return Object.fromEntries(names.map((name) => [name, { module, export: name }]));
}
