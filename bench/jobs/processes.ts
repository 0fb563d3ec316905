// Processes of a bench: each prints one line when it is ready and is killed when it is done with.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Started {
  /** The first line it printed. */
  readonly line: string;
  readonly pid: number;
  kill(): void;
}

const children = new Set<ReturnType<typeof spawn>>();
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

export function startScript(script: URL, ...args: string[]): Promise<Started> {
  return startWatched(script, args, () => undefined);
}

/** `began` is told the number of the process before it says anything. */
export async function startWatched(
  script: URL,
  args: readonly string[],
  began: (pid: number) => void,
): Promise<Started> {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.add(child);
  began(child.pid!);
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    child.once("exit", (code) => reject(new Error(`${script.pathname} ended with ${code}`)));
  });
  return {
    line,
    pid: child.pid!,
    kill: () => {
      children.delete(child);
      child.kill("SIGKILL");
    },
  };
}

const folders: string[] = [];
process.on("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder that goes with the process. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "flockwork-bench-"));
  folders.push(folder);
  return folder;
}
