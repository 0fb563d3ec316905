// Who may write: one hub per data directory, and one claim per partition, between real processes.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openSqlite } from "../../dist/backbone/index.js";
import { openStore } from "../../dist/backbone/sqlite.js";
import { start, type Child } from "./witness.js";

let directory: string;
let children: Child[];
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "backbone-hold-")), "data");
  mkdirSync(directory);
  children = [];
});
afterEach(async () => {
  for (const child of children) child.process.kill("SIGKILL");
  await Promise.all(children.map((child) => child.ended));
  rmSync(join(directory, ".."), { recursive: true });
});

function hold(lock: "locked" | "unlocked"): Child {
  const child = start("holder.mjs", [directory, lock]);
  children.push(child);
  return child;
}

async function tell(child: Child, order: string): Promise<string> {
  child.process.stdin!.write(`${order}\n`);
  return child.said(`${order} `);
}

/** Resolves once the kernel shows the process in one of the states. */
async function inState(child: Child, states: string): Promise<void> {
  const state = (): string => /\) (\S)/.exec(readFileSync(`/proc/${child.process.pid}/stat`, "utf8"))![1]!;
  while (!states.includes(state())) await new Promise((resolve) => setImmediate(resolve));
}

it("refuses a second hub in one line that names the directory and the holder, and frees it with SIGKILL", async () => {
  const holder = hold("locked");
  await holder.said("open");
  const pid = holder.process.pid!;
  await expect(openSqlite(directory)).rejects.toMatchObject({
    code: "data_locked",
    message: `data directory ${directory} is in use by another hub (process ${pid}): stop that one or give this one another directory`,
  });
  await tell(holder, "announce");
  await expect(openSqlite(directory)).rejects.toThrow(`(process ${pid}, ws://127.0.0.1:9999)`);

  holder.process.kill("SIGKILL");
  await holder.ended;
  const store = await openSqlite(directory);
  await expect(openSqlite(directory)).rejects.toMatchObject({ code: "data_locked" }); // in one process, too
  await store.close();
});

it.runIf(process.platform === "linux")("keeps the directory for a holder that is only stopped", async () => {
  const holder = hold("locked");
  await holder.said("open");
  holder.process.kill("SIGSTOP");
  await inState(holder, "T");
  await expect(openSqlite(directory)).rejects.toMatchObject({ code: "data_locked" });
  holder.process.kill("SIGCONT");
  expect(await tell(holder, "claim")).toBe("claim ok");
});

it("lets exactly one of several hubs that start at once have it", async () => {
  const verdicts = await Promise.all(
    Array.from({ length: 5 }, () => {
      const child = hold("locked");
      return Promise.race([child.said("open"), child.said("refused")]);
    }),
  );
  expect(verdicts.filter((verdict) => verdict === "open").length).toBe(1);
  expect(verdicts.filter((verdict) => verdict.startsWith("refused data_locked")).length).toBe(4);
});

it.runIf(process.platform === "linux")(
  "refuses a hub that wakes after another has claimed its partition",
  async () => {
    const sleeper = hold("unlocked");
    await sleeper.said("open");
    expect(await tell(sleeper, "claim")).toBe("claim ok");
    expect(await tell(sleeper, "append")).toBe("append ok");
    sleeper.process.kill("SIGSTOP");
    await inState(sleeper, "T");

    const store = await openStore(directory);
    const epoch = await store.journal.claim("p");
    await store.journal.append(epoch, [Buffer.from("mine")]);

    sleeper.lines.length = 0;
    sleeper.process.stdin!.write("append\ncompact\n");
    sleeper.process.kill("SIGCONT");
    expect(await sleeper.said("append ")).toBe("append stale_epoch");
    expect(await sleeper.said("compact ")).toBe("compact stale_epoch");
    const records: string[] = [];
    for await (const { record } of store.journal.replay(epoch)) records.push(Buffer.from(record).toString());
    expect(records).toEqual([`by ${sleeper.process.pid}`, "mine"]);
    await store.close();
  },
);
