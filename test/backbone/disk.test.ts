// A disk that is really full, and one that is really read-only: a small tmpfs, which only root may mount.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqlite } from "../../dist/backbone/index.js";

function whyNot(): string | undefined {
  const probe = mkdtempSync(join(tmpdir(), "backbone-probe-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], { stdio: "pipe" });
    execFileSync("umount", [probe]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim().replaceAll("\n", " ") : String(error);
  } finally {
    rmSync(probe, { recursive: true });
  }
}

const missing = whyNot();
if (missing !== undefined) process.stderr.write(`skipped: full and read-only disks (${missing})\n`);

describe.skipIf(missing !== undefined)("a small disk", () => {
  let mount: string;
  let data: string;
  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), "backbone-disk-"));
    data = join(mount, "data");
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mount]);
  });
  afterEach(() => {
    execFileSync("umount", ["--lazy", mount]); // a failed test may have left a file open
    rmSync(mount, { recursive: true });
  });

  function fill(): void {
    const full = (): void => writeFileSync(join(mount, "ballast"), new Uint8Array(5_000_000));
    expect(full).toThrow("ENOSPC"); // as much as fits is written
  }

  async function* endless(): AsyncIterable<Uint8Array> {
    for (;;) yield new Uint8Array(100_000);
  }

  it("that is full refuses, keeps what was acknowledged, and takes more once there is room", async () => {
    writeFileSync(join(mount, "ballast"), new Uint8Array(1_500_000));
    let store = await openSqlite(data);
    let epoch = await store.journal.claim("p");
    const acknowledged: string[] = [];
    const write = async (name: string): Promise<void> => {
      await store.journal.append(epoch, [Buffer.from(name.padEnd(30_000)), Buffer.from(name.padEnd(30_000))]);
      acknowledged.push(name, name);
    };
    const there = async (): Promise<string[]> => {
      const names: string[] = [];
      for await (const { record } of store.journal.replay(epoch))
        names.push(Buffer.from(record).toString().trim());
      return names;
    };

    await expect(
      (async () => {
        for (let i = 0; ; i++) await write(`${i}`);
      })(),
    ).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringMatching(/hub\.db: the disk is full; free/),
    });
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(await there()).toEqual(acknowledged);
    await expect(write("again")).rejects.toMatchObject({ code: "storage_full" });
    await expect(store.blobs.put(endless())).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringContaining(join(data, "blobs")),
    });
    expect(readdirSync(join(data, "blobs", "unfinished"))).toEqual([]);
    expect(await there()).toEqual(acknowledged);

    await store.close(); // a restart does not need more room either
    store = await openSqlite(data);
    epoch = await store.journal.claim("p");
    expect(await there()).toEqual(acknowledged);

    unlinkSync(join(mount, "ballast"));
    await write("room");
    await store.blobs.put(new Uint8Array(1000));
    expect(await there()).toEqual(acknowledged);
    await store.close();

    store = await openSqlite(data);
    epoch = await store.journal.claim("p");
    expect(await there()).toEqual(acknowledged);
    await store.close();
  });

  it("that the hub itself has filled has room again after a compaction, restart or not", async () => {
    for (let round = 0; round < 4; round++) {
      const store = await openSqlite(data);
      const epoch = await store.journal.claim("p");
      await store.journal.compact(epoch, Number.MAX_SAFE_INTEGER); // of what the round before has left
      for (let times = 0; times < 2; times++) {
        let written = 0;
        const fillUp = async (): Promise<void> => {
          for (; ; written++) await store.journal.append(epoch, [new Uint8Array(30_000)]);
        };
        await expect(fillUp()).rejects.toMatchObject({ code: "storage_full" });
        expect(written).toBeGreaterThan(20);
        if (times === 0) await store.journal.compact(epoch, Number.MAX_SAFE_INTEGER);
      }
      await store.close();
    }
  });

  it("that is full still takes what fits into the space that was compacted away", async () => {
    const first = await openSqlite(data);
    const before = await first.journal.claim("p");
    const big = await first.journal.append(before, [new Uint8Array(900_000)]);
    await first.journal.compact(before, big + 1);
    await first.close(); // the database has its size now
    const store = await openSqlite(data);
    const epoch = await store.journal.claim("p");
    const turnOver = async (): Promise<void> => {
      await store.journal.compact(epoch, await store.journal.append(epoch, [new Uint8Array(100_000)]));
    };
    for (let i = 0; i < 8; i++) await turnOver();
    fill();
    for (let i = 0; i < 100; i++) await turnOver();
    await store.close();
  });

  it("that is full when a hub starts gets one line, and the hub starts when there is room", async () => {
    fill();
    await expect(openSqlite(data)).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringMatching(/^cannot write to .*$/),
    });
    unlinkSync(join(mount, "ballast"));
    await (await openSqlite(data)).close();
  });

  it("that is read-only gets one line, and nothing is lost", async () => {
    const first = await openSqlite(data);
    const epoch = await first.journal.claim("p");
    await first.journal.append(epoch, [Buffer.from("kept")]);
    await first.close();
    execFileSync("mount", ["-o", "remount,ro", mount]);
    await expect(openSqlite(data)).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringMatching(/^cannot write to .*: the disk is read-only; .*$/),
    });
    await expect(openSqlite(join(mount, "other"))).rejects.toMatchObject({ code: "storage_full" });
    execFileSync("mount", ["-o", "remount,rw", mount]);
    const second = await openSqlite(data);
    const again = await second.journal.claim("p");
    for await (const { record } of second.journal.replay(again))
      expect(Buffer.from(record).toString()).toBe("kept");
    await second.close();
  });
});
