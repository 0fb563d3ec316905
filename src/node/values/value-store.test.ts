// The store of values: what stays in memory, what goes to disk and comes back, what is refused, and that nothing piles up.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FlockworkError } from "../../ids/index.js";
import { folderSpill } from "./spill.node.js";
import type { Spill } from "./spill.js";
import { ValueStore, type Lease } from "./value-store.js";

let folder: string;
let spill: Spill;
const stores: ValueStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "values-"));
  spill = folderSpill(folder);
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

function storeOf(limit: number, where: Spill | "nowhere" = spill): ValueStore {
  const store = new ValueStore({ limit, spill: where === "nowhere" ? undefined : where });
  stores.push(store);
  return store;
}

const bytes = (n: number, value: number) => new Uint8Array(n).fill(value);
const files = () => readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)));

async function lease(store: ValueStore, ...names: string[]): Promise<Lease> {
  const claims = names.map((name) => store.claim(name)!);
  try {
    return await store.lease(claims);
  } finally {
    for (const claim of claims) claim.release();
  }
}

async function valuesOf(store: ValueStore, ...names: string[]): Promise<number[]> {
  const { data, release } = await lease(store, ...names);
  release();
  return data.map((each) => each[0]!);
}

/** Whether a promise has settled by the time that what can go on has gone on. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = () => (settled = true);
  promise.then(mark, mark);
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe("values", () => {
  it("go to disk when memory is short, least recently used first, and come back", async () => {
    const store = storeOf(100);
    await store.put("a", bytes(40, 1));
    await store.put("b", bytes(40, 2));
    expect(await valuesOf(store, "a")).toEqual([1]);
    await store.put("c", bytes(40, 3));
    expect([store.used, files().length]).toEqual([80, 1]);
    expect(await valuesOf(store, "b")).toEqual([2]);
    expect(await valuesOf(store, "a", "c")).toEqual([1, 3]);
    expect(store.used).toBeLessThanOrEqual(100);
    expect([...store.list()]).toEqual([
      ["a", 40],
      ["b", 40],
      ["c", 40],
    ]);
  });

  it("are written once, however often they go", async () => {
    const written: number[] = [];
    const counting: Spill = { ...spill, write: (data) => (written.push(data[0]!), spill.write(data)) };
    const store = storeOf(50, counting);
    await store.put("a", bytes(40, 1));
    await store.put("b", bytes(40, 2));
    for (let i = 0; i < 5; i++)
      expect(await valuesOf(store, "a")).toEqual(await valuesOf(store, "b").then(() => [1]));
    expect(written.toSorted()).toEqual([1, 2]);
  });

  it("stay in memory while they are read, and others wait for it", async () => {
    const store = storeOf(100);
    await store.put("a", bytes(60, 1));
    await store.put("b", bytes(60, 2));
    const first = await lease(store, "a");
    const second = lease(store, "b");
    expect(await settles(second)).toBe(false);
    first.release();
    const { data, release } = await second;
    expect(data[0]![0]).toBe(2);
    release();
  });

  it("do not stand in each other's way when each has part of what the other needs", async () => {
    const store = storeOf(100);
    for (const [i, name] of ["a", "b", "c", "d"].entries()) await store.put(name, bytes(45, i));
    const both = await Promise.all(
      [
        ["a", "b"],
        ["b", "c"],
        ["c", "d"],
        ["d", "a"],
      ].map((pair) => valuesOf(store, ...pair)),
    );
    expect(both).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
    ]);
  });

  it("that are made while memory is in use go straight to disk", async () => {
    const store = storeOf(100);
    await store.put("a", bytes(90, 1));
    const { release } = await lease(store, "a");
    await store.put("b", bytes(50, 2));
    expect(store.used).toBe(90);
    release();
    expect(await valuesOf(store, "b")).toEqual([2]);
  });

  it("that can never fit are refused, alone and together", async () => {
    const store = storeOf(100);
    await expect(store.put("x", bytes(101, 1))).rejects.toMatchObject({ code: "out_of_memory" });
    await expect(store.reserve("x", 101)).rejects.toMatchObject({ code: "out_of_memory" });
    await store.put("a", bytes(60, 1));
    await store.put("b", bytes(60, 2));
    await expect(lease(store, "a", "b")).rejects.toMatchObject({ code: "out_of_memory" });
    expect(await valuesOf(store, "a")).toEqual([1]);
  });

  it("without a disk are refused past the limit, and room comes with a drop", async () => {
    const store = storeOf(100, "nowhere");
    await store.put("a", bytes(60, 1));
    await expect(store.put("b", bytes(60, 2))).rejects.toMatchObject({ code: "out_of_memory" });
    await expect(store.reserve("b", 60)).rejects.toMatchObject({ code: "out_of_memory" });
    store.drop("a");
    await store.put("b", bytes(60, 2));
    expect(await valuesOf(store, "b")).toEqual([2]);
  });

  it("that are dropped stay for those who have claimed them", async () => {
    const store = storeOf(100);
    await store.put("a", bytes(60, 1));
    const claim = store.claim("a")!;
    store.drop("a");
    expect([store.has("a"), store.used]).toEqual([false, 60]);
    // Not lost when memory is short meanwhile.
    await store.put("b", bytes(60, 2));
    const { data, release } = await store.lease([claim]);
    expect(data[0]![0]).toBe(1);
    release();
    claim.release();
    store.drop("b");
    expect(store.used).toBe(0);
    await expect.poll(() => files().length).toBe(0);
  });

  it("are read in pieces from the disk", async () => {
    const store = storeOf(100);
    await store.put(
      "a",
      Uint8Array.from({ length: 90 }, (_, i) => i),
    );
    await store.put("b", bytes(90, 2));
    const claim = store.claim("a")!;
    const pieces: number[][] = [];
    for await (const piece of store.read(claim, 50, 16)) pieces.push([piece[0]!, piece.length]);
    claim.release();
    expect(pieces).toEqual([
      [50, 16],
      [66, 16],
      [82, 8],
    ]);
    expect(store.used).toBe(90);
  });

  it("whose file is gone are lost, and that is said", async () => {
    const lost: string[] = [];
    const store = new ValueStore({ limit: 100, spill, onLost: (name) => lost.push(name) });
    stores.push(store);
    await store.put("a", bytes(90, 1));
    await store.put("b", bytes(90, 2));
    for (const name of readdirSync(folder)) rmSync(join(folder, name, "1"));
    await expect(lease(store, "a")).rejects.toMatchObject({ code: "value_lost" });
    expect([lost, store.has("a")]).toEqual([["a"], false]);
  });

  it("that the disk does not take fail who brings them, and nobody else", async () => {
    const full: Spill = {
      ...spill,
      write: () => Promise.reject(new FlockworkError("out_of_memory", "the disk is full")),
    };
    const store = storeOf(100, full);
    await store.put("a", bytes(60, 1));
    await expect(store.put("b", bytes(60, 2))).rejects.toMatchObject({ code: "out_of_memory" });
    expect(await valuesOf(store, "a")).toEqual([1]);
    await store.put("c", bytes(40, 3));
    expect(await valuesOf(store, "a", "c")).toEqual([1, 3]);
  });

  it("leave nothing behind over ten thousand groups", async () => {
    const store = storeOf(1000);
    for (let i = 0; i < 10_000; i++) {
      await store.put(`${i}`, bytes(100, i % 256));
      if (i >= 5) store.drop(`${i - 5}`);
    }
    expect([store.size, store.used]).toEqual([5, 500]);
  });
});

describe("a spill", () => {
  it("removes what killed processes of this machine have left, and its own at the end", async () => {
    const key = await spill.write(bytes(10, 1));
    const [own] = readdirSync(folder);
    // A process number that no process has: Linux gives none beyond 2^22.
    const dead = own!.replace(`-${process.pid}-`, "-4999999-");
    const other = own!
      .replace(/^flockwork-values-.*?-(?=\d)/, "flockwork-values-elsewhere-")
      .replace(/\d+-/, "4999999-");
    for (const name of [dead, other]) await folderSpill(join(folder, name)).write(bytes(1, 1));
    const next = folderSpill(folder);
    await next.write(bytes(10, 2));
    expect(readdirSync(folder)).toContain(other);
    expect(readdirSync(folder)).not.toContain(dead);
    expect(await spill.read(key, 2, 4)).toEqual(bytes(4, 1));
    await next.close();
    await spill.close();
    expect(readdirSync(folder)).toEqual([other]);
  });

  it("says where it can not be", async () => {
    await expect(folderSpill("/dev/null/values").write(bytes(1, 1))).rejects.toMatchObject({
      code: "bad_argument",
    });
  });
});
