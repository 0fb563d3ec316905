// Death and failing writes at every point of the SQLite backbone's life: real processes, real kills, real failures.

import { constants, tmpdir } from "node:os";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildFaults, judge, start } from "./witness.js";

/** 1 strikes at every write; more skips some, for a quick look. */
const STRIDE = Number(process.env["FLOCKWORK_TEST_STRIDE"] ?? 1);
const KILLS = Number(process.env["FLOCKWORK_TEST_KILLS"] ?? 12);

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "backbone-kill-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("SIGKILL", () => {
  it("at any time under load loses nothing acknowledged and leaves nothing in part", async () => {
    const directory = join(root, "data");
    for (let i = 0; i < KILLS; i++) {
      const run = join(directory, `${i}`);
      const child = start("writer.mjs", [run, i % 3 === 0 ? "power" : "process", "forever"]);
      await child.said("ok group 5");
      const upTo = child.lines.length + 1 + i * 13;
      while (child.lines.length < upTo) await new Promise((resolve) => setImmediate(resolve));
      child.process.kill("SIGKILL");
      await child.ended;
      await judge(run, child.lines);
    }
  });
});

const faults = buildFaults();
if ("missing" in faults) process.stderr.write(`skipped: a fault at each write (${faults.missing})\n`);

describe.runIf("library" in faults)("at each write, in turn,", () => {
  const library = "library" in faults ? faults.library : "";
  afterAll(() => rmSync(library, { force: true }));

  async function run(directory: string, durable: string, fault: Record<string, string>): Promise<string[]> {
    const child = start("writer.mjs", [directory, durable, "script"], {
      LD_PRELOAD: library,
      FAULT_UNDER: directory,
      ...fault,
    });
    await child.ended;
    return child.lines;
  }

  async function countWrites(durable: string): Promise<number> {
    const file = join(root, "count");
    const lines = await run(join(root, "calm"), durable, {
      FAULT_AT: "0",
      FAULT_FOR: "0",
      FAULT_COUNT: file,
    });
    expect(lines.filter((line) => line.startsWith("failed"))).toEqual([]);
    expect(lines.at(-1)).toBe("ok close");
    await judge(join(root, "calm"), lines);
    return Number(readFileSync(file, "utf8"));
  }

  /** Children mostly wait for their start, so a few of them run side by side. */
  async function strikeEach(
    writes: number,
    stride: number,
    strike: (at: number) => Promise<void>,
  ): Promise<void> {
    let next = 1;
    const lane = async (): Promise<void> => {
      while (next <= writes) {
        const at = next;
        next += stride;
        await strike(at);
      }
    };
    await Promise.all([lane(), lane(), lane()]);
  }

  it.each([
    ["process", "kill"],
    ["power", "torn"],
  ])(
    "death (durable=%s, %s) loses nothing acknowledged and leaves nothing in part",
    async (durable, fate) => {
      const writes = await countWrites(durable);
      expect(writes).toBeGreaterThan(40);
      await strikeEach(writes, STRIDE, async (at) => {
        const directory = join(root, `${at}`);
        const lines = await run(directory, durable, { FAULT_AT: `${at}`, FAULT_DO: fate });
        expect(lines, `write ${at} of ${writes} was not fatal`).not.toContain("ok close");
        await judge(directory, lines);
        rmSync(directory, { recursive: true });
      });
    },
  );

  it.each(["ENOSPC", "EIO", "EROFS"] as const)(
    "%s is refused as storage_full and harms nothing else",
    async (name) => {
      const writes = await countWrites("process");
      let refusals = 0;
      await strikeEach(writes, 3 * STRIDE, async (at) => {
        const directory = join(root, `${at}`);
        const fault = { FAULT_AT: `${at}`, FAULT_FOR: "4", FAULT_DO: `${constants.errno[name]}` };
        const lines = await run(directory, "process", fault);
        const failed = lines.filter((line) => line.startsWith("failed"));
        for (const line of failed) expect(line, `at write ${at}`).toMatch(/ storage_full$/);
        expect(lines, `at write ${at}: ${lines.join("; ")}`).toContain("ok group 8");
        await judge(directory, lines);
        refusals += failed.length;
        rmSync(directory, { recursive: true });
      });
      expect(refusals).toBeGreaterThan(writes / 6 / STRIDE);
    },
  );
});
