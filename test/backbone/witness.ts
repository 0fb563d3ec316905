// Runs the children of the backbone's tests and judges what they left behind against what they said.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { openSqlite, readBlob } from "../../dist/backbone/index.js";

export const here = new URL(".", import.meta.url).pathname;

export interface Child {
  readonly process: ChildProcess;
  /** What it said so far, line by line. */
  readonly lines: string[];
  /** Resolves with the first line that begins so; rejects when the child ends before. */
  said(beginning: string): Promise<string>;
  /** Resolves when it has ended and all it said is in `lines`. */
  readonly ended: Promise<void>;
}

export function start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  const child = spawn(process.execPath, [join(here, script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  let over = false;
  const wake = (): void => waiting.forEach((check) => check());
  child.stdout.setEncoding("utf8").on("data", (data: string) => {
    const parts = (rest + data).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
    wake();
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve())).then(() => {
    over = true;
    wake();
  });
  const said = (beginning: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const line = lines.find((candidate) => candidate.startsWith(beginning));
        if (line === undefined && !over) return;
        waiting.delete(check);
        if (line !== undefined) resolve(line);
        else reject(new Error(`the child ended without saying "${beginning}": ${lines.join("; ")}`));
      };
      waiting.add(check);
      check();
    });
  return { process: child, lines, said, ended };
}

/** The library that makes the nth write fail or fatal, or the reason why there is none. */
export function buildFaults(): { library: string } | { missing: string } {
  if (process.platform !== "linux") return { missing: "LD_PRELOAD needs Linux" };
  const library = join(tmpdir(), `flockwork-fault-${process.pid}.so`);
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, join(here, "fault.c"), "-ldl"], {
      stdio: "pipe",
    });
    return { library };
  } catch (error) {
    return { missing: `no C compiler: ${String(error).split("\n")[0]}` };
  }
}

/** Opens what a child left: whatever it was told is done must be there whole, nothing else may be there in part. */
export async function judge(directory: string, lines: readonly string[]): Promise<void> {
  const said = (pattern: RegExp): string[][] =>
    lines.flatMap((line) => {
      const found = pattern.exec(line);
      return found ? [found.slice(1)] : [];
    });
  const store = await openSqlite(directory);
  try {
    const epoch = await store.journal.claim("p");
    const groups: { g: number; has: number; of: number }[] = [];
    for await (const { record } of store.journal.replay(epoch)) {
      const [g, i, of] = Buffer.from(record).toString().split(" ")[0]!.split("/").map(Number) as [
        number,
        number,
        number,
      ];
      if (i === 0) groups.push({ g, has: 0, of });
      expect(groups.at(-1), "a record without the start of its group").toMatchObject({ g, has: i, of });
      groups.at(-1)!.has++;
    }
    for (const group of groups) expect(group.has, `group ${group.g} is there in part`).toBe(group.of);
    const there = groups.map(({ g }) => g);
    expect(there, "out of order").toEqual([...there].sort((a, b) => a - b));

    const compacted = Number(said(/^ok group (6)$/)[0]?.[0] ?? 0); // whether or not the child lived to hear of it
    for (const [g] of said(/^ok group (\d+)$/))
      if (Number(g) >= compacted) expect(there).toContain(Number(g));
    const keys = new Map(said(/^ok key (\S+) (\d+)$/) as [string, string][]);
    for (const [key, least] of keys) {
      const entry = await store.kv.get(key);
      expect(Number(Buffer.from(entry!.value).toString())).toBeGreaterThanOrEqual(Number(least));
    }
    const blobs: string[] = [];
    for await (const { hash } of store.blobs.list()) {
      blobs.push(hash);
      const data = await readBlob((await store.blobs.get(hash))!);
      expect(createHash("sha256").update(data).digest("hex"), "a blob there in part").toBe(hash);
    }
    for (const [hash] of said(/^ok blob (\S+)$/)) expect(blobs).toContain(hash);
    expect(readdirSync(join(directory, "blobs", "unfinished"))).toEqual([]);
    await store.journal.append(epoch, [Buffer.from("1000000/0/1 ")]);
  } finally {
    await store.close();
  }
}
