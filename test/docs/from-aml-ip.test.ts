// docs/from-aml-ip.md: its scripts run as they stand, against a real hub, and print what the page says.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import * as amlIp from "../../dist/flock/aml-ip.node.js";
import { Flock } from "../flock.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/from-aml-ip.md"), "utf8");

/** The page's fenced blocks of one language, by the file they are named for. */
function blocks(language: string): Map<string, string> {
  const found = page.matchAll(new RegExp("```" + language + " (\\S+)\\n([\\s\\S]*?)```", "g"));
  return new Map([...found].map(([, name, text]) => [name!, text!]));
}

/** The last four bytes of ids are new at every start. */
const withoutIds = (text: string) => text.replace(/(\.[0-9a-f]{2}){4}\b/g, ".hh.hh.hh.hh");

const scripts = blocks("js");
const outputs = blocks("text");

it("says what each script prints", () => {
  expect([...scripts.keys()]).toEqual([...outputs.keys()]);
  expect(scripts.size).toBe(5);
});

it.each([["main-sync.mjs", "computing-sync.mjs"], ["main-async.mjs", "computing-async.mjs"], ["own.mjs"]])(
  "%s %s",
  async (...names) => {
    let end!: () => Promise<void>;
    const flock = new Flock((finish) => (end = finish));
    try {
      const hub = await flock.hub({ ephemeral: true });
      mkdirSync(join(flock.folder, "node_modules"));
      symlinkSync(root, join(flock.folder, "node_modules/flockwork"));
      await Promise.all(
        names.map(async (name) => {
          const path = join(flock.folder, name);
          writeFileSync(path, scripts.get(name)!);
          const env = { ...process.env, FLOCKWORK_HUB: hub.url };
          const { stdout } = await promisify(execFile)(process.execPath, [path], { env, timeout: 30_000 });
          expect(withoutIds(stdout)).toBe(withoutIds(outputs.get(name)!));
        }),
      );
    } finally {
      await end();
    }
  },
);

it("names every class of flockwork/aml-ip and every method of theirs", () => {
  for (const [name, made] of Object.entries(amlIp)) {
    expect(page).toContain(`\`await ${name}.join(`);
    for (const method of Object.getOwnPropertyNames(made.prototype))
      if (method !== "constructor") expect(page, `${name}.${method}`).toContain(`${method}(`);
  }
});
