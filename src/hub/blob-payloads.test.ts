// Large payloads as blobs: there while somebody counts on them, gone afterwards, whatever overlaps.
import { expect, it } from "vitest";
import { openMemory, type Backbone } from "../backbone/index.js";
import { FlockworkError } from "../ids/index.js";
import { packPayloads } from "../wire/index.js";
import { BlobPayloads, type StoredColumns } from "./blob-payloads.js";
import { Segment } from "./jobs.js";

const large = (fill: number) => ({ kind: 0, bytes: new Uint8Array(100).fill(fill) });
const small = { kind: 1, bytes: Uint8Array.of(1, 2, 3) };

function segmentOf(columns: StoredColumns): Segment {
  return new Segment(
    { k: "solved", node: "n", tasks: new Float64Array(columns.kinds.length), ...columns },
    [],
    0,
  );
}

async function count(backbone: Backbone): Promise<number> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  let n = 0;
  for await (const blob of backbone.blobs.list()) n += blob.bytes > 0 ? 1 : 0;
  return n;
}

it("keeps small payloads in the columns and large ones aside", async () => {
  const backbone = openMemory();
  const blobs = new BlobPayloads(backbone.blobs, 64);
  const stored = await blobs.store(packPayloads([small, large(7), small]));
  expect([...stored.lengths]).toEqual([3, 0, 3]);
  expect(stored.data.length).toBe(16);
  expect(await blobs.read(stored.blobs![0]![1])).toEqual(large(7).bytes);
  expect(segmentOf(stored).lengthOf(1)).toBe(100);
});

it("deletes a blob with the last payload that needs it", async () => {
  const backbone = openMemory();
  const blobs = new BlobPayloads(backbone.blobs, 64);
  const a = segmentOf(await blobs.store(packPayloads([large(1), large(1)])));
  const b = segmentOf(await blobs.store(packPayloads([large(1), large(2)])));
  expect(await count(backbone)).toBe(2);
  blobs.release(a, 0);
  blobs.release(a, 1);
  expect(await count(backbone)).toBe(2);
  blobs.release(b, 0);
  expect(await count(backbone)).toBe(1);
  blobs.release(b, 1);
  expect(await count(backbone)).toBe(0);
});

it("does not delete what is being stored anew", async () => {
  const backbone = openMemory();
  const blobs = new BlobPayloads(backbone.blobs, 64);
  for (let i = 0; i < 20; i++) {
    const old = segmentOf(await blobs.store(packPayloads([large(1)])));
    const [again] = await Promise.all([blobs.store(packPayloads([large(1)])), blobs.release(old, 0)]);
    expect(await count(backbone)).toBe(1);
    blobs.release(segmentOf(again), 0);
    expect(await count(backbone)).toBe(0);
  }
});

it("leaves nothing behind when the disk refuses in the middle", async () => {
  const backbone = openMemory();
  let puts = 0;
  const refusing = {
    ...backbone.blobs,
    put: (source: Uint8Array) =>
      ++puts === 2 ? Promise.reject(new FlockworkError("storage_full", "full")) : backbone.blobs.put(source),
    delete: (hash: Parameters<typeof backbone.blobs.delete>[0]) => backbone.blobs.delete(hash),
    get: (hash: Parameters<typeof backbone.blobs.get>[0]) => backbone.blobs.get(hash),
    has: (hash: Parameters<typeof backbone.blobs.has>[0]) => backbone.blobs.has(hash),
    list: () => backbone.blobs.list(),
  };
  const blobs = new BlobPayloads(refusing, 64);
  await expect(blobs.store(packPayloads([large(1), large(2)]))).rejects.toThrow("full");
  expect(await count(backbone)).toBe(0);
});

it("deletes what a dead hub left between a blob and its record", async () => {
  const backbone = openMemory();
  await backbone.blobs.put(large(9).bytes);
  const blobs = new BlobPayloads(backbone.blobs, 64);
  const kept = segmentOf(await blobs.store(packPayloads([large(1)])));
  await blobs.deleteOrphans();
  expect(await count(backbone)).toBe(1);
  blobs.release(kept, 0);
});
