// flockwork node: serves the functions of a module of the operator's own.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { ComputingNode, type Services } from "../flock/index.node.js";
import { FlockworkError } from "../ids/index.js";
import { wholeNumber } from "./arguments.js";
import { onInterrupt } from "./interrupt.js";
import { joinFlags, joinOptions, type JoinFlags } from "./joining.js";
import { remark, say } from "./screen.js";

interface NodeFlags extends JoinFlags {
  readonly services: string;
  readonly slots: number;
}

export function addNode(program: Command): void {
  joinFlags(program.command("node"), "node")
    .description("Offer the functions that a module of yours exports as services.")
    .requiredOption("--services <file>", "the module, for instance ./mine.js")
    .option("--slots <n>", "jobs at the same time", wholeNumber("--slots", 1, 1024), 1)
    .action(run);
}

async function run(flags: NodeFlags): Promise<void> {
  const services = await servicesOf(flags.services);
  const stop = onInterrupt(
    () => leave(),
    () => void node.abort(),
  );
  let leave = (): void => process.exit(130);
  const node = await ComputingNode.join({
    ...joinOptions(flags),
    slots: flags.slots,
    services,
    onNotice: (notice) => remark(notice.message),
  });
  leave = () => {
    remark("finishing the running jobs; press Ctrl-C again to abort them");
    void node.close();
  };
  say(`Node ${node.id} offers ${Object.keys(services).join(", ")}.`);
  await node.closed;
  stop();
  say(`Node ${node.id} closing.`);
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
