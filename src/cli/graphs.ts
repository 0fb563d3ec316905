// flockwork graphs: the graphs that a hub has in hand, as a table.
import type { Command } from "commander";
import { HubReader } from "./hub-reader.js";
import { observeFlags, observed, type ObserveFlags } from "./observing.js";
import { dim, say, table } from "./screen.js";

interface GraphRow {
  readonly id: string;
  readonly name: string;
  readonly client: string;
  readonly domain: string;
  readonly tasks: {
    readonly total: number;
    readonly done: number;
    readonly running: number;
    readonly failed: number;
  };
  readonly bytes: number;
}

export function addGraphs(program: Command): void {
  observeFlags(program.command("graphs")).description("Show the graphs that a hub has in hand.").action(run);
}

async function run(flags: ObserveFlags): Promise<void> {
  const target = await observed(flags);
  const graphs = await new HubReader(target).read<GraphRow[]>("/api/graphs");
  if (flags.json) {
    say(JSON.stringify({ hub: target.url, graphs }, undefined, 2));
    return;
  }
  if (graphs.length === 0) {
    say(dim("No graph is open. A client opens one with connect() and flock.graph()."));
    return;
  }
  const rows = graphs.map(({ name, id, client, domain, tasks, bytes }) => [
    name || id.slice(0, 8),
    domain,
    `${tasks.done}/${tasks.total}`,
    String(tasks.running),
    String(tasks.failed),
    inBytes(bytes),
    client,
  ]);
  for (const line of table([["GRAPH", "DOMAIN", "DONE", "RUNNING", "FAILED", "VALUES", "CLIENT"], ...rows]))
    say(line);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

function inBytes(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}
