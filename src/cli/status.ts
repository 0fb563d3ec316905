// flockwork status: what a hub knows, as a table.
import type { Command } from "commander";
import { HubReader } from "./hub-reader.js";
import { observed, observeFlags, type ObserveFlags } from "./observing.js";
import { bold, dim, say, table } from "./screen.js";

interface NodeRow {
  readonly id: string;
  readonly state: string;
  readonly domain: string;
  readonly slots: number;
  readonly running: number;
  readonly solved: number;
  readonly services: readonly string[];
  /** What it computes programs of graphs with, if it does. */
  readonly provider?: string;
}

interface Jobs {
  /** Absent for a token of one domain: the counts are of the whole hub. */
  readonly waiting?: number;
  readonly running?: number;
  readonly solved?: number;
  readonly unsolved?: number;
  readonly sessions: readonly {
    readonly name: string;
    readonly client: string | null;
    readonly unacknowledged: number;
  }[];
}

export function addStatus(program: Command): void {
  observeFlags(program.command("status")).description("Show a hub's nodes and jobs.").action(run);
}

async function run(options: ObserveFlags): Promise<void> {
  const target = await observed(options);
  const hub = target.url;
  const reader = new HubReader(target);
  const [nodes, jobs] = await Promise.all([
    reader.read<NodeRow[]>("/api/nodes"),
    reader.read<Jobs>("/api/jobs"),
  ]);
  if (options.json) {
    say(JSON.stringify({ hub, nodes, jobs }, undefined, 2));
    return;
  }
  const here = nodes.filter((node) => node.state === "running").length;
  say(`${bold("Hub")}   ${hub}`);
  say(`${bold("Nodes")} ${here}`);
  if (jobs.waiting !== undefined)
    say(
      `${bold("Jobs")}  ${jobs.waiting} waiting, ${jobs.running} running, ${jobs.solved} solved, ${jobs.unsolved} failed`,
    );
  if (nodes.length === 0) say(dim('No node has joined. Add one with "flockwork computing-node".'));
  else {
    say();
    const rows = nodes.map((node) => [
      node.id,
      node.state,
      node.domain,
      `${node.running}/${node.slots}`,
      String(node.solved),
      [...node.services, ...(node.provider === undefined ? [] : [`programs (${node.provider})`])].join(" "),
    ]);
    for (const line of table([["NODE", "STATE", "DOMAIN", "SLOTS", "SOLVED", "SERVICES"], ...rows]))
      say(line);
  }
  const sessions = jobs.sessions.filter((session) => session.client !== null || session.unacknowledged > 0);
  if (sessions.length > 0) {
    say();
    const rows = sessions.map((session) => [
      session.name,
      session.client ?? "away",
      String(session.unacknowledged),
    ]);
    for (const line of table([["SESSION", "MAIN NODE", "JOBS"], ...rows])) say(line);
  }
}
