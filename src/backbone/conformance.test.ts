// What every driver of the backbone must do. A new driver is one more row of `drivers`.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BlobHash } from "../ids/index.js";
import {
  openEphemeral,
  openMemory,
  openSqlite,
  readBlob,
  type Backbone,
  type Epoch,
  type JournalRecord,
  type KvChange,
} from "./index.js";

const RUNS = Number(process.env["FLOCKWORK_TEST_RUNS"] ?? 30);

interface Driver {
  readonly name: string;
  /** Whether what was written is there when the directory is opened again. */
  readonly lasting: boolean;
  open(directory: string): Promise<Backbone>;
}

const drivers: readonly Driver[] = [
  { name: "memory", lasting: false, open: async () => openMemory() },
  { name: "ephemeral", lasting: false, open: () => openEphemeral() },
  { name: "sqlite", lasting: true, open: (directory) => openSqlite(directory) },
  {
    name: "sqlite, durable=power",
    lasting: true,
    open: (directory) => openSqlite(directory, { durable: "power" }),
  },
];

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const sha256 = (data: Uint8Array): BlobHash => createHash("sha256").update(data).digest("hex") as BlobHash;

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

async function replayed(store: Backbone, epoch: Epoch): Promise<string[]> {
  return (await collect(store.journal.replay(epoch))).map(({ record }) => text(record));
}

async function* stream(...chunks: Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

function noise(size: number): Uint8Array {
  const data = new Uint8Array(size);
  for (let i = 0, x = size + 1; i < size; i++) data[i] = x = (Math.imul(x, 1103515245) + 12345) >>> 8;
  return data;
}

describe.each(drivers)("$name", (driver) => {
  let directory: string;
  let store: Backbone;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "backbone-"));
    store = await driver.open(join(directory, "data"));
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  describe("journal", () => {
    it("replays what was appended, in order, with the LSNs it told", async () => {
      const epoch = await store.journal.claim("p");
      const first = await store.journal.append(epoch, [bytes("a"), bytes("b")]);
      const second = await store.journal.append(epoch, [bytes("c")]);
      expect(second).toBeGreaterThan(first + 1);
      const records = await collect(store.journal.replay(epoch));
      expect(records.map(({ record }) => text(record))).toEqual(["a", "b", "c"]);
      expect(records[0]!.lsn).toBe(first);
      expect(records[2]!.lsn).toBe(second);
    });

    it("keeps the order of calls made in one turn, across partitions", async () => {
      const [p, q] = [await store.journal.claim("p"), await store.journal.claim("q")];
      const done: string[] = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          await store.journal.append(i % 2 ? p : q, [bytes(`${i}`), bytes(`${i}'`)]);
          done.push(`${i}`);
        }),
      );
      expect(done).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
      const odd = Array.from({ length: 10 }, (_, i) => [`${2 * i + 1}`, `${2 * i + 1}'`]).flat();
      expect(await replayed(store, p)).toEqual(odd);
      expect(await replayed(store, q)).toEqual(odd.map((_, i) => `${2 * (i >> 1)}${i % 2 ? "'" : ""}`));
    });

    it("commits at once when asked to flush", async () => {
      const epoch = await store.journal.claim("p");
      let turned = false;
      setImmediate(() => (turned = true));
      const appended = store.journal.append(epoch, [bytes("a")]);
      store.journal.flush();
      await appended;
      expect(turned).toBe(false);
    });

    it("refuses an earlier claim after a later one, and only that", async () => {
      const old = await store.journal.claim("p");
      const other = await store.journal.claim("q");
      await store.journal.append(old, [bytes("before")]);
      const now = await store.journal.claim("p");
      expect(now.epoch).toBeGreaterThan(old.epoch);
      const outcomes = await Promise.allSettled([
        store.journal.append(other, [bytes("of q")]),
        store.journal.append(old, [bytes("too late")]),
        store.journal.append(now, [bytes("after")]),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(outcomes[1]).toMatchObject({
        reason: { code: "stale_epoch", message: expect.stringContaining('"p"') },
      });
      expect(await replayed(store, now)).toEqual(["before", "after"]);
      await expect(store.journal.compact(old, 1)).rejects.toMatchObject({ code: "stale_epoch" });
      await expect(replayed(store, old)).rejects.toMatchObject({ code: "stale_epoch" });
    });

    it("writes what was appended before a claim, although the commit had not come yet", async () => {
      const old = await store.journal.claim("p");
      const appended = store.journal.append(old, [bytes("a")]);
      const now = await store.journal.claim("p");
      await appended;
      expect(await replayed(store, now)).toEqual(["a"]);
    });

    it("stops a replay whose partition is claimed by another meanwhile", async () => {
      const old = await store.journal.claim("p");
      const record = noise(600_000);
      for (let i = 0; i < 5; i++) await store.journal.append(old, [record]);
      const replay = store.journal.replay(old)[Symbol.asyncIterator]();
      await replay.next();
      await store.journal.claim("p");
      await expect(
        (async () => {
          while (!(await replay.next()).done);
        })(),
      ).rejects.toMatchObject({ code: "stale_epoch" });
    });

    it("replays what was there at the start, while appends and compaction go on", async () => {
      const epoch = await store.journal.claim("p");
      const record = noise(300_000);
      for (let i = 0; i < 20; i++) await store.journal.append(epoch, [record]);
      const seen: JournalRecord[] = [];
      for await (const item of store.journal.replay(epoch)) {
        seen.push(item);
        await store.journal.append(epoch, [bytes("new")]);
        if (seen.length === 1) await store.journal.compact(epoch, 3);
      }
      expect(seen.length).toBeGreaterThanOrEqual(18);
      expect(seen.length).toBeLessThanOrEqual(20);
      expect(seen.every((item) => item.record.length === 300_000)).toBe(true);
    });

    it("drops what compaction names, keeps the rest, and never uses an LSN again", async () => {
      const epoch = await store.journal.claim("p");
      await store.journal.append(epoch, [bytes("a"), bytes("b")]);
      const live = await store.journal.append(epoch, [bytes("c"), bytes("d")]);
      await store.journal.compact(epoch, live + 1);
      expect(await replayed(store, epoch)).toEqual(["d"]);
      await store.journal.compact(epoch, Number.MAX_SAFE_INTEGER);
      expect(await replayed(store, epoch)).toEqual([]);
      await store.journal.compact(epoch, 1);
      expect(await store.journal.append(epoch, [bytes("e")])).toBeGreaterThan(live + 1);
      const next = await store.journal.claim("p");
      expect(await replayed(store, next)).toEqual(["e"]);
    });

    it("does not keep the caller's bytes", async () => {
      const epoch = await store.journal.claim("p");
      const record = Buffer.from("before");
      await store.journal.append(epoch, [record]);
      record.fill(0);
      expect(await replayed(store, epoch)).toEqual(["before"]);
    });

    it("takes empty and large records and views into larger buffers", async () => {
      const epoch = await store.journal.claim("p");
      const large = noise(3_000_000);
      const records = [new Uint8Array(), large, large.subarray(7, 19), Buffer.from("xyz").subarray(1)];
      await store.journal.append(epoch, records);
      const found = (await collect(store.journal.replay(epoch))).map(({ record }) => record);
      expect(found.map(sha256)).toEqual(records.map(sha256));
      expect(found[3]!.constructor).toBe(Uint8Array);
    });

    it.each<[string, (epoch: Epoch) => Promise<unknown>]>([
      ["no records", (epoch) => store.journal.append(epoch, [])],
      ["a record that is text", (epoch) => store.journal.append(epoch, ["x" as unknown as Uint8Array])],
      ["an array for a record", (epoch) => store.journal.append(epoch, [[1] as unknown as Uint8Array])],
      ["no epoch", () => store.journal.append(undefined as unknown as Epoch, [bytes("a")])],
      ["half an epoch", () => store.journal.append({ partition: "p" } as Epoch, [bytes("a")])],
      ["an empty name", () => store.journal.claim("")],
      ["a name with a line break", () => store.journal.claim("a\nb")],
      ["half a surrogate pair", () => store.journal.claim("\ud800")],
      ["a name without end", () => store.journal.claim("x".repeat(10_000))],
      ["a fraction for an LSN", (epoch) => store.journal.compact(epoch, 1.5)],
      ["NaN for an LSN", (epoch) => store.journal.compact(epoch, NaN)],
    ])("refuses %s, and nobody else notices", async (_, call) => {
      const epoch = await store.journal.claim("p");
      const good = store.journal.append(epoch, [bytes("good")]);
      await expect(call(epoch)).rejects.toMatchObject({ code: "bad_argument" });
      await good;
      expect(await replayed(store, epoch)).toEqual(["good"]);
    });

    it("refuses an epoch that was never given out", async () => {
      await expect(
        store.journal.append({ partition: "nobody's", epoch: 1 }, [bytes("a")]),
      ).rejects.toMatchObject({
        code: "stale_epoch",
      });
      const epoch = await store.journal.claim("p");
      const forged = { partition: "p", epoch: epoch.epoch + 1 };
      await expect(store.journal.append(forged, [bytes("a")])).rejects.toMatchObject({ code: "stale_epoch" });
    });

    it("behaves like a list that only its last claimer may change", async () => {
      const step = fc.oneof(
        fc.record({
          do: fc.constant("append" as const),
          size: fc.integer({ min: 1, max: 4 }),
          who: fc.nat(3),
        }),
        fc.record({ do: fc.constant("claim" as const) }),
        fc.record({ do: fc.constant("compact" as const), share: fc.nat(100), who: fc.nat(3) }),
        fc.record({ do: fc.constant("turn" as const) }),
      );
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const partition = `round ${++round}`;
          const claims = [await store.journal.claim(partition)];
          let model: { lsn: number; record: string }[] = [];
          let highest = 0;
          let number = 0;
          const appends: Promise<void>[] = [];
          for (const action of steps) {
            const who = "who" in action ? claims[Math.max(0, claims.length - 1 - action.who)]! : claims[0]!;
            const valid = who === claims.at(-1);
            if (action.do === "claim") claims.push(await store.journal.claim(partition));
            else if (action.do === "turn") await Promise.all(appends.splice(0));
            else if (action.do === "append") {
              const group = Array.from({ length: action.size }, () => `${number++}`);
              const done = store.journal.append(who, group.map(bytes)).then(
                (first) => {
                  expect(valid).toBe(true);
                  expect(first).toBeGreaterThan(highest);
                  model.push(...group.map((record, i) => ({ lsn: first + i, record })));
                  highest = first + group.length - 1;
                },
                (error) => {
                  expect(valid).toBe(false);
                  expect(error).toMatchObject({ code: "stale_epoch" });
                },
              );
              appends.push(done);
            } else {
              await Promise.all(appends.splice(0));
              const before = Math.floor((highest * action.share) / 100);
              const compacted = store.journal.compact(who, before);
              if (!valid) await expect(compacted).rejects.toMatchObject({ code: "stale_epoch" });
              else {
                await compacted;
                model = model.filter(({ lsn }) => lsn >= before);
              }
            }
          }
          await Promise.all(appends);
          const found = await collect(store.journal.replay(claims.at(-1)!));
          expect(found.map(({ lsn, record }) => ({ lsn, record: text(record) }))).toEqual(model);
        }),
        { numRuns: RUNS },
      );
    });
  });

  describe("kv", () => {
    it("gets, replaces and deletes, with revisions that only grow", async () => {
      expect(await store.kv.get("a")).toBeUndefined();
      const first = await store.kv.put("a", bytes("1"));
      const second = await store.kv.put("a", bytes("2"));
      expect(second).toBeGreaterThan(first);
      expect(await store.kv.get("a")).toEqual({ key: "a", value: bytes("2"), revision: second });
      expect(await store.kv.delete("a")).toBe(true);
      expect(await store.kv.delete("a")).toBe(false);
      expect(await store.kv.get("a")).toBeUndefined();
      expect(await store.kv.put("a", bytes("3"))).toBeGreaterThan(second + 1);
    });

    it("changes a key only from the revision expected; 0 means it must not exist", async () => {
      const created = await store.kv.put("a", bytes("1"), { expect: 0 });
      await expect(store.kv.put("a", bytes("x"), { expect: 0 })).rejects.toMatchObject({ code: "conflict" });
      await expect(store.kv.put("a", bytes("x"), { expect: created + 1 })).rejects.toMatchObject({
        code: "conflict",
      });
      await expect(store.kv.delete("a", { expect: created + 1 })).rejects.toMatchObject({ code: "conflict" });
      const changed = await store.kv.put("a", bytes("2"), { expect: created });
      expect(text((await store.kv.get("a"))!.value)).toBe("2");
      expect(await store.kv.delete("a", { expect: changed })).toBe(true);
      await expect(store.kv.put("a", bytes("x"), { expect: changed })).rejects.toMatchObject({
        code: "conflict",
      });
      await store.kv.put("a", bytes("3"), { expect: 0 });
    });

    it("lets one of many racers win each round", async () => {
      const increment = async (): Promise<number> => {
        for (let tries = 1; ; tries++) {
          const now = await store.kv.get("count");
          const value = bytes(`${now ? Number(text(now.value)) + 1 : 1}`);
          const won = await store.kv.put("count", value, { expect: now?.revision ?? 0 }).then(
            () => true,
            (error) => {
              expect(error).toMatchObject({ code: "conflict" });
              return false;
            },
          );
          if (won) return tries;
        }
      };
      const tries = await Promise.all(Array.from({ length: 12 }, increment));
      expect(text((await store.kv.get("count"))!.value)).toBe("12");
      expect(Math.max(...tries)).toBeGreaterThan(1); // they did race
    });

    it("lists by prefix in the order of UTF-8", async () => {
      for (const key of ["b", "a/2", "a/\u{1f600}", "a/1", "a/\uff5e", "a0", "A/1"])
        await store.kv.put(key, bytes(key));
      expect((await store.kv.list("a/")).map(({ key }) => key)).toEqual([
        "a/1",
        "a/2",
        "a/\uff5e",
        "a/\u{1f600}",
      ]);
      expect((await store.kv.list()).length).toBe(7);
      expect(await store.kv.list("none")).toEqual([]);
    });

    it("watches from now on, deletions included", async () => {
      await store.kv.put("w/old", bytes("0"));
      const watch = store.kv.watch("w/");
      const first = watch.next();
      const created = await store.kv.put("w/a", bytes("1"));
      await store.kv.put("elsewhere", bytes("1"));
      expect(await first).toEqual({
        done: false,
        value: { type: "put", key: "w/a", value: bytes("1"), revision: created },
      });
      await store.kv.delete("w/old");
      expect((await watch.next()).value).toMatchObject({ type: "delete", key: "w/old" });
      await store.kv.put("w/b", bytes("2"));
      await watch.return!();
      expect((await watch.next()).done).toBe(true);
    });

    it("gives a slow watcher the latest change of each key", async () => {
      const watch = store.kv.watch();
      for (let i = 0; i < 100; i++) await store.kv.put(i % 2 ? "odd" : "even", bytes(`${i}`));
      await store.kv.delete("even");
      const seen: KvChange[] = [(await watch.next()).value, (await watch.next()).value];
      expect(seen).toMatchObject([
        { type: "put", key: "odd", value: bytes("99") },
        { type: "delete", key: "even" },
      ]);
      const waiting = watch.next();
      await store.close();
      expect((await waiting).done).toBe(true);
    });

    it("does not share bytes with its callers", async () => {
      const value = Buffer.from("1");
      const watch = store.kv.watch();
      await store.kv.put("a", value);
      value.fill(0);
      (await store.kv.get("a"))!.value.fill(0);
      expect(text((await store.kv.get("a"))!.value)).toBe("1");
      expect((await watch.next()).value.value).toEqual(bytes("1"));
    });

    it.each<[string, string, () => Promise<unknown>]>([
      ["an empty key", "bad_argument", () => store.kv.get("")],
      ["a key with a NUL", "bad_argument", () => store.kv.put("a\0b", bytes(""))],
      ["a key that is no text", "bad_argument", () => store.kv.put(7 as unknown as string, bytes(""))],
      ["text for a value", "bad_argument", () => store.kv.put("a", "1" as unknown as Uint8Array)],
      ["a negative revision", "bad_argument", () => store.kv.put("a", bytes(""), { expect: -1 })],
      ["a value of 2 MiB", "too_large", () => store.kv.put("a", new Uint8Array(2 ** 21))],
    ])("refuses %s", async (_, code, call) => {
      await expect(call()).rejects.toMatchObject({ code });
      expect(await store.kv.list()).toEqual([]);
    });
  });

  describe("blobs", () => {
    it.each([0, 1, 1000, 256 * 1024, 256 * 1024 + 1, 3_000_000])(
      "stores and returns %i bytes",
      async (size) => {
        const data = noise(size);
        const { hash, bytes: stored } = await store.blobs.put(data);
        expect(hash).toBe(sha256(data));
        expect(stored).toBe(size);
        expect(await store.blobs.has(hash)).toBe(true);
        const content = (await store.blobs.get(hash))!;
        expect(content).toMatchObject({ size, start: 0, end: size });
        expect(Buffer.compare(await readBlob(content), data)).toBe(0);
      },
    );

    it("takes a stream in any pieces", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(400_000), { maxLength: 6 }), async (sizes) => {
          const pieces = sizes.map(noise);
          const whole = Buffer.concat(pieces);
          const { hash } = await store.blobs.put(stream(...pieces));
          expect(hash).toBe(sha256(whole));
          expect(Buffer.compare(await readBlob((await store.blobs.get(hash))!), whole)).toBe(0);
        }),
        { numRuns: Math.ceil(RUNS / 3) },
      );
    });

    it("returns ranges, cut to what is there", async () => {
      const data = noise(700_000);
      const { hash } = await store.blobs.put(data);
      const range = fc.record({ start: fc.nat(800_000), end: fc.nat(800_000) }, { requiredKeys: [] });
      await fc.assert(
        fc.asyncProperty(range, async (given) => {
          const content = (await store.blobs.get(hash, given))!;
          const start = Math.min(given.start ?? 0, data.length);
          const end = Math.max(start, Math.min(given.end ?? data.length, data.length));
          expect(content).toMatchObject({ size: data.length, start, end });
          expect(Buffer.compare(await readBlob(content), data.subarray(start, end))).toBe(0);
        }),
        { numRuns: RUNS },
      );
      for (const bad of [{ start: -1 }, { end: 0.5 }, { start: NaN }]) {
        await expect(store.blobs.get(hash, bad)).rejects.toMatchObject({ code: "bad_argument" });
      }
    });

    it("keeps one copy of equal bytes, also when they come at once", async () => {
      const puts = await Promise.all(Array.from({ length: 5 }, () => store.blobs.put(noise(300_000))));
      expect(new Set(puts.map(({ hash }) => hash)).size).toBe(1);
      expect(await collect(store.blobs.list())).toEqual([puts[0]]);
    });

    it("lists and deletes", async () => {
      const infos = await Promise.all([1, 2, 3].map((size) => store.blobs.put(noise(size))));
      const listed = await collect(store.blobs.list());
      expect(listed.sort((a, b) => a.bytes - b.bytes)).toEqual(infos);
      const { hash } = infos[0]!;
      expect(await store.blobs.delete(hash)).toBe(true);
      expect(await store.blobs.delete(hash)).toBe(false);
      expect(await store.blobs.has(hash)).toBe(false);
      expect(await store.blobs.get(hash)).toBeUndefined();
      expect((await collect(store.blobs.list())).length).toBe(2);
    });

    it("keeps nothing of a source that fails, and passes its error on", async () => {
      async function* broken(): AsyncIterable<Uint8Array> {
        yield noise(600_000);
        throw new Error("the line went dead");
      }
      await expect(store.blobs.put(broken())).rejects.toThrow("the line went dead");
      await expect(store.blobs.put(stream(noise(10), "x" as unknown as Uint8Array))).rejects.toMatchObject({
        code: "bad_argument",
      });
      await expect(store.blobs.put("text" as unknown as Uint8Array)).rejects.toMatchObject({
        code: "bad_argument",
      });
      expect(await collect(store.blobs.list())).toEqual([]);
      expect((await store.blobs.put(noise(5))).hash).toBe(sha256(noise(5)));
    });

    it.each(["", "../../hub.db", "A".repeat(64), "0".repeat(63), `${"0".repeat(62)}/.`])(
      "refuses %j for a hash",
      async (hash) => {
        for (const call of ["get", "has", "delete"] as const) {
          await expect(store.blobs[call](hash as BlobHash)).rejects.toMatchObject({ code: "bad_argument" });
        }
      },
    );
  });

  it("finishes what was appended when it closes, then answers closed to everything", async () => {
    const epoch = await store.journal.claim("p");
    const appended = store.journal.append(epoch, [bytes("last words")]);
    const { hash } = await store.blobs.put(bytes("x"));
    await store.close();
    await appended;
    const calls: (() => Promise<unknown>)[] = [
      () => store.journal.claim("p"),
      () => store.journal.append(epoch, [bytes("a")]),
      () => collect(store.journal.replay(epoch)),
      () => store.journal.compact(epoch, 1),
      () => store.kv.get("a"),
      () => store.kv.put("a", bytes("1")),
      () => store.kv.delete("a"),
      () => store.kv.list(),
      () => store.blobs.put(bytes("x")),
      () => store.blobs.get(hash),
      () => store.blobs.has(hash),
      () => store.blobs.delete(hash),
      () => collect(store.blobs.list()),
    ];
    for (const call of calls) await expect(call(), String(call)).rejects.toMatchObject({ code: "closed" });
    expect((await store.kv.watch().next()).done).toBe(true);
    await store.close();
  });

  it.runIf(driver.lasting)("is all there when it is opened again", async () => {
    const epoch = await store.journal.claim("p");
    await store.journal.append(epoch, [bytes("a"), bytes("b")]);
    const next = await store.journal.append(epoch, [bytes("c")]);
    await store.journal.compact(epoch, next + 1);
    const revision = await store.kv.put("k", bytes("v"));
    const { hash } = await store.blobs.put(noise(300_000));
    await store.close();

    store = await driver.open(join(directory, "data"));
    const again = await store.journal.claim("p");
    expect(again.epoch).toBeGreaterThan(epoch.epoch);
    expect(await replayed(store, again)).toEqual([]);
    expect(await store.journal.append(again, [bytes("d")])).toBeGreaterThan(next);
    expect(await store.kv.get("k")).toEqual({ key: "k", value: bytes("v"), revision });
    expect(await store.kv.put("k2", bytes("v"))).toBeGreaterThan(revision);
    expect(await store.blobs.has(hash)).toBe(true);
  });
});
