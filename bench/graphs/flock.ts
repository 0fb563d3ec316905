// A flock of real processes: `flockwork up`, and `flockwork node` with one slot of one thread each.
import { readFileSync } from "node:fs";
import { connect, type Flock } from "../../dist/flock/index.node.js";
import { scratch, startScript, startWatched, type Started } from "../jobs/processes.js";

const HUB = new URL("../jobs/hub.mjs", import.meta.url);
const THROTTLE = new URL("./throttle.mjs", import.meta.url);
const CLI = new URL("../../dist/cli/main.js", import.meta.url);

export interface NodeProcess extends Started {
  readonly name: string;
  /** Its engine's process, which is its child. */
  readonly engine: number;
}

export interface Processes {
  readonly hub: Started;
  readonly nodes: readonly NodeProcess[];
  /** One more node, labelled with its name. From `slowed` on, its engine is that many times slower than it would be. */
  join(name: string, slowed?: number): Promise<NodeProcess>;
  connect(): Promise<Flock>;
  stop(): Promise<void>;
}

export async function startFlock(nodes: number): Promise<Processes> {
  const hub = await startScript(HUB, "memory");
  const started: NodeProcess[] = [];
  const clients: Flock[] = [];
  const processes: Processes = {
    hub,
    nodes: started,
    async join(name, slowed = 1) {
      let engine: Promise<number> | undefined;
      // Its own: what was measured on an earlier visit, or by another node, is not known.
      process.env["FLOCKWORK_DATA"] = scratch();
      const args = ["node", "--hub", hub.line, "--slots", "1", "--name", name, "--labels", name];
      const node = await startWatched(CLI, args, (pid) => {
        engine = engineOf(pid);
        if (slowed > 1) void startScript(THROTTLE, String(pid), String(slowed)).catch(() => undefined);
      });
      const made = { ...node, name, engine: await engine! };
      started.push(made);
      return made;
    },
    async connect() {
      const flock = await connect({ hub: hub.line });
      clients.push(flock);
      return flock;
    },
    async stop() {
      for (const client of clients) await client.close();
      for (const each of [...started, hub]) each.kill();
    },
  };
  for (let i = 0; i < nodes; i++) await processes.join(`n${i}`);
  return processes;
}

/** A node's first child, as soon as it is there. */
async function engineOf(node: number): Promise<number> {
  for (;;) {
    const [first] = readFileSync(`/proc/${node}/task/${node}/children`, "utf8").trim().split(" ");
    if (first) return Number(first);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Milliseconds of processor time that a process has had, in Linux's steps of ten. */
export function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ");
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

/** Resident memory of a process in MB, as Linux tells it. */
export function residentMb(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000);
}
