// What only the SQLite driver promises: files, permissions, damage, disk use, and fencing without the lock.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqlite, readHolder, type Backbone, type Epoch } from "./index.js";
import { openStore } from "./sqlite.js";

/** Jobs sent through append and compact; a million holds as well (FLOCKWORK_TEST_JOBS=1000000). */
const JOBS = Number(process.env["FLOCKWORK_TEST_JOBS"] ?? 200_000);

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "backbone-sqlite-"));
  directory = join(root, "deep", "data");
});
afterEach(() => rmSync(root, { recursive: true }));

async function records(store: Backbone, epoch: Epoch): Promise<string[]> {
  const all: string[] = [];
  for await (const { record } of store.journal.replay(epoch)) all.push(Buffer.from(record).toString());
  return all;
}

/** Files that this process has open below a folder; undefined where the system does not tell. */
function openBelow(folder: string): string[] | undefined {
  try {
    return readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`);
        return path.startsWith(folder) ? [path] : [];
      } catch {
        return [];
      }
    });
  } catch {
    return undefined;
  }
}

function everything(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [path, ...everything(path)] : [path];
  });
}

describe("the data directory", () => {
  it.runIf(process.platform !== "win32")("is the owner's alone, with all that is in it", async () => {
    const store = await openSqlite(directory);
    await store.journal.append(await store.journal.claim("p"), [Buffer.from("a")]);
    await store.blobs.put(Buffer.from("b"));
    const wrong = [directory, ...everything(directory)].filter((path) => {
      const stat = statSync(path);
      return (stat.mode & 0o777) !== (stat.isDirectory() ? 0o700 : 0o600);
    });
    expect(wrong).toEqual([]);
    await store.close();
  });

  it("says who holds it, where it listens once that is known, and nothing after", async () => {
    const store = await openSqlite(directory);
    expect(readHolder(directory)).toEqual({ pid: process.pid });
    store.announce("ws://127.0.0.1:1234");
    expect(readHolder(directory)).toEqual({ pid: process.pid, url: "ws://127.0.0.1:1234" });
    writeFileSync(join(directory, "hub.json"), '{"pid":');
    await expect(openSqlite(directory)).rejects.toThrow(`${directory} is in use by another hub: stop`);
    await store.close();
    expect(readHolder(directory)).toBeUndefined();

    const next = await openSqlite(directory);
    await store.close(); // once more, too late to take the note of the next
    expect(readHolder(directory)).toEqual({ pid: process.pid });
    await next.close();
  });

  it("loses what a killed put has left, and nothing else", async () => {
    const first = await openSqlite(directory);
    const { hash } = await first.blobs.put(Buffer.from("whole"));
    await first.close();
    writeFileSync(join(directory, "blobs", "unfinished", "half"), "ha");
    const second = await openSqlite(directory);
    expect(readdirSync(join(directory, "blobs", "unfinished"))).toEqual([]);
    expect(await second.blobs.has(hash)).toBe(true);
    await second.close();
  });

  it("can not be a file, nor below one", async () => {
    writeFileSync(join(root, "file"), "");
    for (const path of [join(root, "file"), join(root, "file", "data")]) {
      await expect(openSqlite(path)).rejects.toMatchObject({
        code: "bad_argument",
        message: expect.stringContaining(`data directory ${path}`),
      });
    }
  });

  it("heals a blob that a power loss has cut when it is put again", async () => {
    const store = await openSqlite(directory);
    const { hash } = await store.blobs.put(Buffer.from("whole"));
    const path = join(directory, "blobs", hash.slice(0, 2), hash);
    chmodSync(path, 0o600);
    writeFileSync(path, "");
    await store.blobs.put(Buffer.from("whole"));
    expect(readFileSync(path, "utf8")).toBe("whole");
    await store.close();
  });
});

describe("damage", () => {
  it.each(["hub.db"])("of %s is said in one line, and the directory is free again", async (file) => {
    const first = await openSqlite(directory);
    await first.journal.append(await first.journal.claim("p"), [Buffer.from("a")]);
    await first.close();
    const good = readFileSync(join(directory, file));
    writeFileSync(
      join(directory, file),
      Buffer.from("this is no database, and long enough to look at".repeat(100)),
    );
    const damaged = {
      code: "storage_corrupt",
      message: expect.stringMatching(
        /^\S+hub\.db is damaged .*: restore it from a backup, or move it away .*$/,
      ),
    };
    await expect(openSqlite(directory)).rejects.toMatchObject(damaged);
    writeFileSync(join(directory, file), good);
    await (await openSqlite(directory)).close();
  });

  it("of a page met while reading rejects that call", async () => {
    const first = await openSqlite(directory);
    let epoch = await first.journal.claim("p");
    for (let i = 0; i < 200; i++) await first.journal.append(epoch, [new Uint8Array(5000)]);
    await first.close();
    const path = join(directory, "hub.db");
    const data = readFileSync(path);
    data.fill(0xff, data.length / 2);
    writeFileSync(path, data);
    const second = await openSqlite(directory);
    const replay = async (): Promise<unknown> => {
      epoch = await second.journal.claim("p");
      return records(second, epoch);
    };
    await expect(replay()).rejects.toMatchObject({ code: "storage_corrupt" });
    await second.close();
  });

  it("is not done to a database of a newer version or of another program", async () => {
    mkdirSync(directory, { recursive: true });
    const path = join(directory, "hub.db");
    const db = new Database(path);
    db.exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    await expect(openSqlite(directory)).rejects.toMatchObject({ code: "storage_corrupt" });
    expect(db.prepare("SELECT x FROM theirs").get()).toEqual({ x: 1 });
    db.exec("DROP TABLE theirs; PRAGMA user_version = 99");
    await expect(openSqlite(directory)).rejects.toThrow("schema 99");
    db.close();
  });
});

describe("fencing by epoch alone, with two handles on one directory", () => {
  it("refuses the first from the moment the second has claimed, also mid-turn", async () => {
    mkdirSync(directory, { recursive: true });
    const [first, second] = [await openStore(directory), await openStore(directory)];
    const old = await first.journal.claim("p");
    await first.journal.append(old, [Buffer.from("1")]);
    const waiting = first.journal.append(old, [Buffer.from("too late")]);
    const epoch = await second.journal.claim("p"); // before the turn, and with it the commit, comes
    await expect(waiting).rejects.toMatchObject({ code: "stale_epoch" });
    await second.journal.append(epoch, [Buffer.from("2")]);
    await expect(first.journal.append(old, [Buffer.from("3")])).rejects.toMatchObject({
      code: "stale_epoch",
    });
    expect(await records(second, epoch)).toEqual(["1", "2"]);
    const again = await first.journal.claim("p");
    await expect(second.journal.append(epoch, [Buffer.from("4")])).rejects.toMatchObject({
      code: "stale_epoch",
    });
    await first.journal.append(again, [Buffer.from("5")]);
    expect(await records(first, again)).toEqual(["1", "2", "5"]);
    await first.close();
    await second.close();
  });

  it("gives each revision of a key to one of two racing handles", async () => {
    mkdirSync(directory, { recursive: true });
    const stores = [await openStore(directory), await openStore(directory)];
    for (let round = 0; round < 20; round++) {
      const revision = (await stores[0]!.kv.get("leader"))?.revision ?? 0;
      const results = await Promise.allSettled(
        stores.map((store, i) => store.kv.put("leader", Buffer.from(`${i}`), { expect: revision })),
      );
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    }
    for (const store of stores) await store.close();
  });
});

it(`stays small on disk while ${JOBS} jobs pass through`, async () => {
  const store = await openSqlite(directory);
  const epoch = await store.journal.claim("p");
  const jobs = Array.from({ length: 200 }, (_, i) => new Uint8Array(20 + ((i * 37) % 400)));
  let largestLog = 0;
  for (let sent = 0; sent < JOBS; sent += jobs.length) {
    const lsn = await store.journal.append(epoch, jobs);
    if (sent % (10 * jobs.length) === 0) await store.journal.compact(epoch, lsn);
    largestLog = Math.max(largestLog, statSync(join(directory, "hub.db-wal")).size);
  }
  expect(largestLog).toBeLessThan(24 * 2 ** 20);
  await store.close();
  expect(statSync(join(directory, "hub.db")).size).toBeLessThan(4 * 2 ** 20);
});

it("keeps no file open and no chunk in memory for a blob whose source makes a pause", async () => {
  const store = await openSqlite(directory);
  const parts = [Buffer.alloc(300_000, "a"), Buffer.from("b"), Buffer.alloc(300_000, "c")];
  const temporary = () =>
    everything(directory).filter((path) => /\/[0-9a-f]{24}$/.test(path) && statSync(path).isFile());
  const opened: (number | undefined)[] = [];
  async function* source() {
    let expected = 0;
    for (const part of parts) {
      yield part;
      expected += part.length;
      await expect
        .poll(() => temporary().map((path) => statSync(path).size), { timeout: 20_000 })
        .toEqual([expected]);
      const blob = () => openBelow(directory)?.filter((path) => temporary().includes(path)).length;
      await expect.poll(blob, { timeout: 20_000 }).not.toBe(1);
      opened.push(blob());
    }
  }
  const { hash, bytes } = await store.blobs.put(source());
  const all = Buffer.concat(parts);
  expect(bytes).toBe(all.length);
  expect(hash).toBe(createHash("sha256").update(all).digest("hex"));
  for (const count of opened) expect(count ?? 0).toBe(0);
  await store.close();
});
