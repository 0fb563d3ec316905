// Payloads held in memory: what comes out is what went in, within the budget, and memory that is free is used again.
import { expect, it } from "vitest";
import { openMemory } from "../backbone/index.js";
import { CHUNK_BYTES } from "../wire/index.js";
import { BlobPayloads } from "./blob-payloads.js";
import { HeldPayloads } from "./held-payloads.js";

function noise(size: number): Uint8Array {
  const data = new Uint8Array(size);
  for (let i = 0, x = size + 1; i < size; i++) data[i] = x = (Math.imul(x, 1103515245) + 12345) >>> 8;
  return data;
}

async function* pieces(whole: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

async function gathered(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(Uint8Array.from(piece));
  return Buffer.concat(all);
}

async function stored(backbone: ReturnType<typeof openMemory>): Promise<number> {
  let n = 0;
  for await (const blob of backbone.blobs.list()) n += blob.bytes > 0 ? 1 : 0;
  return n;
}

it("gives back what it was given, from any place to any other", async () => {
  const held = new HeldPayloads(8 * CHUNK_BYTES);
  for (const size of [0, 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 5]) {
    const whole = noise(size);
    const holding = await held.hold(pieces(whole));
    if (!("hash" in holding)) throw new Error("there was room");
    expect(holding.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(holding.bytes).toBe(size);
    for (const [start, end] of [[0], [7], [CHUNK_BYTES - 1, CHUNK_BYTES + 1], [CHUNK_BYTES], [size]] as const)
      expect(
        Buffer.compare(await gathered(held.read(holding.hash, start, end)), whole.subarray(start, end)),
      ).toBe(0);
    expect(held.delete(holding.hash)).toBe(true);
    expect(held.delete(holding.hash)).toBe(false);
  }
});

it("passes on what there is no room for, and has its room back then", async () => {
  const held = new HeldPayloads(4 * CHUNK_BYTES);
  const first = await held.hold(pieces(noise(2 * CHUNK_BYTES)));
  for (let i = 0; i < 3; i++) {
    const whole = noise(3 * CHUNK_BYTES + i);
    const second = await held.hold(pieces(whole));
    if (!("rest" in second)) throw new Error("there was no room");
    expect(Buffer.compare(await gathered(second.rest), whole)).toBe(0);
  }
  // A reader that leaves gives the room back too.
  const left = await held.hold(pieces(noise(3 * CHUNK_BYTES)));
  if (!("rest" in left)) throw new Error("there was no room");
  const reader = left.rest[Symbol.asyncIterator]();
  expect((await reader.next()).done).toBe(false);
  await reader.return?.();
  expect("hash" in (await held.hold(pieces(noise(2 * CHUNK_BYTES))))).toBe(true);
  expect("hash" in first && held.sizeOf(first.hash)).toBe(2 * CHUNK_BYTES);
});

it("keeps nothing of a source that fails", async () => {
  const held = new HeldPayloads(2 * CHUNK_BYTES);
  const failing = async function* () {
    yield noise(2 * CHUNK_BYTES);
    throw new Error("no more");
  };
  await expect(held.hold(failing())).rejects.toThrow("no more");
  expect("hash" in (await held.hold(pieces(noise(2 * CHUNK_BYTES))))).toBe(true);
});

it("stands before the blobs: what fits is held, the rest is stored, and both go with their last payload", async () => {
  const backbone = openMemory();
  const blobs = new BlobPayloads(backbone.blobs, 64, new HeldPayloads(4 * CHUNK_BYTES));
  const put = (size: number, expected?: number) => blobs.put(pieces(noise(size)), expected);
  const small = await put(3 * CHUNK_BYTES, 3 * CHUNK_BYTES);
  expect([blobs.holds(small.hash), await stored(backbone)]).toEqual([true, 0]);
  const known = await put(5 * CHUNK_BYTES, 5 * CHUNK_BYTES);
  const unknown = await put(2 * CHUNK_BYTES);
  for (const { hash, bytes } of [small, known, unknown]) {
    expect(await blobs.sizeOf(hash)).toBe(bytes);
    expect(Buffer.compare(await blobs.read(hash), noise(bytes))).toBe(0);
    expect(Buffer.compare(await gathered(blobs.open(hash, 10, 20)), noise(bytes).subarray(10, 20))).toBe(0);
  }
  expect([blobs.holds(known.hash), blobs.holds(unknown.hash), await stored(backbone)]).toEqual([
    false,
    false,
    2,
  ]);
  const release = blobs.hold(small.hash);
  blobs.releaseAll([small, known, unknown].map(({ hash, bytes }) => [0, hash, bytes]));
  await expect.poll(() => stored(backbone)).toBe(0);
  expect(blobs.has(small.hash)).toBe(true);
  release();
  expect([blobs.has(small.hash), blobs.holds(small.hash)]).toEqual([false, false]);
});

it("lets a payload be read while it comes, within the room that was kept for it", async () => {
  const held = new HeldPayloads(4 * CHUNK_BYTES);
  const whole = noise(3 * CHUNK_BYTES - 5);
  const growing = held.grow(whole.length)!;
  expect(held.grow(2 * CHUNK_BYTES)).toBeUndefined();
  const all = gathered(held.read(growing.name, 0));
  const end = gathered(held.read(growing.name, CHUNK_BYTES + 1));
  for await (const piece of pieces(whole)) {
    growing.add(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(Buffer.compare(await all, whole)).toBe(0);
  expect(Buffer.compare(await end, whole.subarray(CHUNK_BYTES + 1))).toBe(0);
  expect(() => growing.add(Uint8Array.of(1))).toThrow(/more came/);
  held.delete(growing.name);
  expect(held.grow(4 * CHUNK_BYTES)).toBeDefined();
});

it("tells readers that no more comes, whether they wait already or have more to read first", async () => {
  const held = new HeldPayloads(4 * CHUNK_BYTES);
  const { name, add } = held.grow(2 * CHUNK_BYTES)!;
  add(noise(10));
  const before = [held.read(name, 0), held.read(name, 10), held.read(name, 0, Infinity, true)] as const;
  expect((await before[0].next()).value).toHaveLength(10);
  expect((await before[2].next()).value).toHaveLength(10);
  const waits = before[1].next();
  held.breakReaders(name, new Error("taken back"));
  await expect(waits).rejects.toThrow("taken back");
  await expect(before[0].next()).rejects.toThrow("taken back");
  // One that begins later, and one that is firm, go on.
  const later = held.read(name, 10);
  const [more, firm] = [later.next(), before[2].next()];
  add(noise(20));
  expect((await more).value).toHaveLength(20);
  expect((await firm).value).toHaveLength(20);
  held.delete(name);
  await expect(later.next()).rejects.toMatchObject({ code: "stream_lost" });
  await expect(before[2].next()).rejects.toMatchObject({ code: "stream_lost" });
});
