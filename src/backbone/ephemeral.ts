// A backbone that forgets, for `--ephemeral`: journal and keys in memory, blobs in files of a temporary folder, so that large
// payloads do not fill the memory. The folder goes with the process, unless that is killed.

import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backbone } from "./backbone.js";
import { FileBlobs } from "./file-blobs.js";
import { openMemory } from "./memory.js";

export async function openEphemeral(): Promise<Backbone> {
  const folder = await mkdtemp(join(tmpdir(), "flockwork-"));
  const atExit = () => rmSync(folder, { recursive: true, force: true });
  process.on("exit", atExit);
  const memory = openMemory();
  const blobs = new FileBlobs(folder, "process");
  await blobs.prepare(false);
  return {
    ...memory,
    blobs,
    close: async () => {
      await memory.close();
      await blobs.close();
      process.off("exit", atExit);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
