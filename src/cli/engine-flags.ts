// What the commands that start engines share: their options, and how their figures are printed.
import type { Command } from "commander";
import type { EngineOptions } from "../flock/index.node.js";
import { wholeNumber } from "./arguments.js";

export interface EngineFlags {
  readonly threads: number;
  readonly provider?: string;
  readonly programMemory: number;
  readonly trusted?: boolean;
}

export function engineFlags(command: Command): Command {
  return command
    .option("--threads <n>", "threads of one program", wholeNumber("--threads", 1, 1024), 1)
    .option("--provider <name>", "what computes: cpu, wasm, cuda, ... (default: the best that is there)")
    .option(
      "--program-memory <mib>",
      "memory that one program may take",
      wholeNumber("--program-memory", 16, 2 ** 22),
      4096,
    )
    .option(
      "--trusted",
      "run programs in this process: nothing protects it from a program that crashes or never ends",
    );
}

export function engineOptions({ threads, provider, programMemory, trusted }: EngineFlags): EngineOptions {
  return {
    threads,
    memoryMb: programMemory,
    ...(provider !== undefined && { provider }),
    ...(trusted && { trusted }),
  };
}

/** A number of units as thousands of millions, three digits. */
export function gigas(units: number): string {
  return (units / 1e9).toPrecision(3);
}
