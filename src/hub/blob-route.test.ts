// /blobs/<sha256> over real HTTP: whole, in ranges, cached, and nothing that is not a hash.
import { createHash } from "node:crypto";
import { createServer, request as ask, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { openMemory } from "../backbone/index.js";
import { answerBlob, blobOfPath, rangeOf } from "./blob-route.js";
import { BlobPayloads } from "./blob-payloads.js";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const CONTENT = "The quick brown fox jumps over the lazy dog.";
const HASH = createHash("sha256").update(CONTENT).digest("hex");

async function served() {
  const blobs = new BlobPayloads(openMemory().blobs, 1);
  await blobs.put(
    (async function* () {
      yield Buffer.from(CONTENT);
    })(),
  );
  const server = createServer((request, response) => {
    const hash = blobOfPath(request.url ?? "");
    const answered =
      hash === undefined ? Promise.resolve(false) : answerBlob(request, response, blobs, hash, {});
    void answered.then((known) => known || response.writeHead(404).end());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  ends.push(() => new Promise((done) => server.close(done)));
  const { port } = server.address() as AddressInfo;
  return (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<{ status: number; headers: IncomingMessage["headers"]; body: string }>((resolve, reject) =>
      ask({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
        text(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        );
      })
        .once("error", reject)
        .end(),
    );
}

it("gives a payload, its head, ranges of it, and 304 to who has it", async () => {
  const get = await served();
  const path = `/blobs/${HASH}`;
  const whole = await get(path);
  expect(whole).toMatchObject({ status: 200, body: CONTENT });
  expect(whole.headers).toMatchObject({
    etag: `"${HASH}"`,
    "cache-control": "private, max-age=31536000, immutable",
    "content-length": String(CONTENT.length),
    "accept-ranges": "bytes",
  });
  expect(await get(path, {}, "HEAD")).toMatchObject({
    status: 200,
    body: "",
    headers: { "content-length": "44" },
  });
  expect(await get(path, { range: "bytes=4-8" })).toMatchObject({
    status: 206,
    body: "quick",
    headers: { "content-range": "bytes 4-8/44", "content-length": "5" },
  });
  expect((await get(path, { range: "bytes=40-" })).body).toBe("dog.");
  expect((await get(path, { range: "bytes=-4" })).body).toBe("dog.");
  expect(await get(path, { range: "bytes=44-" })).toMatchObject({
    status: 416,
    headers: { "content-range": "bytes */44" },
  });
  expect(await get(path, { range: "bytes=0-1,3-4" })).toMatchObject({ status: 200, body: CONTENT });
  expect(await get(path, { range: "bytes=4-8", "if-range": '"other"' })).toMatchObject({ status: 200 });
  expect(await get(path, { "if-none-match": `"${HASH}"` })).toMatchObject({ status: 304, body: "" });
});

it("takes nothing that is not exactly a hash", async () => {
  const get = await served();
  for (const path of [
    "/blobs/",
    `/blobs/${HASH.toUpperCase()}`,
    `/blobs/${HASH}/`,
    `/blobs/${HASH.slice(1)}`,
    `/blobs/../blobs/${HASH}`,
    `/blobs/%2e%2e/hub.db`,
    "/blobs/../../../../etc/passwd",
    `/blobs/${HASH}%00`,
    `/blobs/${"0".repeat(64)}`,
  ])
    expect((await get(path)).status, path).toBe(404);
});

it("ranges lie within the payload, or are none", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 100 }),
      fc.option(fc.nat({ max: 120 })),
      fc.option(fc.nat({ max: 120 })),
      (size, a, b) => {
        const range = rangeOf(`bytes=${a ?? ""}-${b ?? ""}`, size);
        if (range === undefined) expect(a === null ? b === null : b !== null && b < a).toBe(true);
        else if (range === "none") expect(a === null ? b === 0 || size === 0 : a >= size).toBe(true);
        else {
          expect(range.start).toBeLessThan(range.end);
          expect(range.end).toBeLessThanOrEqual(size);
          expect(range.start).toBe(a ?? Math.max(0, size - b!));
        }
      },
    ),
  );
  expect(rangeOf("lines=1-2", 10)).toBeUndefined();
});
