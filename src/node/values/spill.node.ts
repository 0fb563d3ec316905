// Values on disk: a file each in a folder of this process's own, which goes when the process does.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { open, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { FlockworkError } from "../../ids/index.js";
import type { Spill } from "./spill.js";

/** A spill in a new folder under `parent` (default: the system's for temporary files). Throws `bad_argument` where none can be made. */
export function folderSpill(parent = tmpdir()): Spill {
  let folder: string | undefined = undefined;
  let last = 0;
  const onExit = () => folder !== undefined && rmSync(folder, { recursive: true, force: true });
  const fileOf = (key: number) => join(folder ?? "", `${key}`);

  /** Made when first needed: most nodes never spill. */
  function made(): void {
    if (folder !== undefined) return;
    try {
      mkdirSync(parent, { recursive: true });
      sweep(parent);
      folder = mkdtempSync(join(parent, `${prefix()}${process.pid}-`));
    } catch (error) {
      throw new FlockworkError(
        "bad_argument",
        `Values can not be spilled to ${parent} (${reasonOf(error)}); give another folder with --spill.`,
        { cause: error },
      );
    }
    process.once("exit", onExit);
  }

  return {
    async write(bytes) {
      made();
      const key = ++last;
      try {
        await writeFile(fileOf(key), bytes, { mode: 0o600 });
      } catch (error) {
        await rm(fileOf(key), { force: true });
        throw new FlockworkError(
          "out_of_memory",
          `Memory is full, and ${bytes.length} bytes of values can not be spilled to ${parent} (${reasonOf(error)}).`,
          { cause: error },
        );
      }
      return key;
    },
    async read(key, offset, length) {
      const file = await open(fileOf(key));
      try {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length;) {
          const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
          if (bytesRead === 0) throw new Error(`the file ended after ${offset + at} bytes`);
          at += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    },
    remove(key) {
      // A file that stays goes with the folder.
      rm(fileOf(key), { force: true }).catch(() => undefined);
    },
    async close() {
      process.off("exit", onExit);
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Machines that share a folder for temporary files do not sweep each other's. */
function prefix(): string {
  return `flockwork-values-${hostname().replace(/[^\w.]/g, "_")}-`;
}

/** Removes what killed processes of this machine have left. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(prefix()) ? Number(/^\d+/.exec(name.slice(prefix().length))?.[0]) : NaN;
    if (Number.isNaN(pid) || pid === process.pid || lives(pid)) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return "the disk is full";
  return error instanceof Error ? error.message : String(error);
}
