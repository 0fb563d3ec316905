// flockwork bench: what this device can do, as a hub would be told.
import type { Command } from "commander";
import { openEngines } from "../flock/index.node.js";
import { engineFlags, engineOptions, gigas, type EngineFlags } from "./engine-flags.js";
import { bold, say, table } from "./screen.js";

interface BenchFlags extends EngineFlags {
  readonly json?: boolean;
}

export function addBench(program: Command): void {
  engineFlags(program.command("bench"))
    .description("Measure what this device computes in a second, in the engine that a node would use.")
    .option("--json", "print the figures as JSON")
    .action(run);
}

async function run(flags: BenchFlags): Promise<void> {
  const engine = await openEngines({ ...engineOptions(flags), slots: 1, anew: true });
  try {
    const { facts } = engine;
    const figures = await engine.benchmark();
    if (flags.json) {
      say(JSON.stringify({ ...facts, ...figures }, undefined, 2));
      return;
    }
    const rows: [string, string][] = [
      ["Engine", `${facts.name} ${facts.version}, ${facts.provider}, ${threads(facts.threads)}`],
      ["Device", facts.device ?? "unknown"],
      ["Class", facts.cpu],
      ["Matrix products", `${gigas(figures.flops)} GFLOP/s`],
      ["Elementwise", `${gigas(figures.memory)} GB/s`],
      ["Convolution", `${gigas(figures.convolution)} GFLOP/s`],
      ["A call", `${Math.round(figures.callMs * 1000)} microseconds`],
    ];
    for (const line of table(rows, 80)) say(line.replace(/^\S+( \S+)*/, (name) => bold(name)));
  } finally {
    await engine.close();
  }
}

function threads(count: number): string {
  return count === 1 ? "1 thread" : `${count} threads`;
}
