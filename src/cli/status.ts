// flockwork status: what a hub knows, as a table.
import type { Command } from "commander";
import { hubAddress } from "../flock/index.node.js";
import { FlockworkError } from "../ids/index.js";
import { bold, dim, say, table } from "./screen.js";

interface NodeRow {
  readonly id: string;
  readonly state: string;
  readonly domain: string;
  readonly slots: number;
  readonly running: number;
  readonly solved: number;
  readonly services: readonly string[];
}

interface Jobs {
  readonly waiting: number;
  readonly running: number;
  readonly solved: number;
  readonly unsolved: number;
  readonly sessions: readonly {
    readonly name: string;
    readonly client: string | null;
    readonly unacknowledged: number;
  }[];
}

export function addStatus(program: Command): void {
  program
    .command("status")
    .description("Show a hub's nodes and jobs.")
    .option("--hub <address>", "address of the hub (default: FLOCKWORK_HUB, or this machine)")
    .option("--json", "print what the hub says as JSON")
    .action(run);
}

async function run(options: { hub?: string; json?: boolean }): Promise<void> {
  const hub = hubAddress(options.hub);
  const [nodes, jobs] = await Promise.all([read<NodeRow[]>(hub, "/api/nodes"), read<Jobs>(hub, "/api/jobs")]);
  if (options.json) {
    say(JSON.stringify({ hub, nodes, jobs }, undefined, 2));
    return;
  }
  const here = nodes.filter((node) => node.state === "running").length;
  say(`${bold("Hub")}   ${hub}`);
  say(`${bold("Nodes")} ${here}`);
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
      node.services.join(" "),
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

async function read<T>(hub: string, path: string): Promise<T> {
  const url = hub.replace(/^ws/, "http") + path;
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  } catch {
    throw new FlockworkError(
      "hub_unreachable",
      `No hub answers at ${hub}. Start one there with "flockwork up", or give another address with --hub.`,
    );
  }
  if (!response.ok)
    throw new FlockworkError("hub_unreachable", `${url} answered ${response.status}; is it a Flockwork hub?`);
  return (await response.json()) as T;
}
