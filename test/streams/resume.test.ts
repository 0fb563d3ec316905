// Transfers over links that break, and hubs that restart: they go on, or begin again, or say that they can not.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Flock, freePort, until } from "../flock.js";

const MiB = 2 ** 20;
const PIECE = 251 * 1024;

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => i % 251);
}

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** `size` bytes in pieces, read once; `at(piece)` is called before each. */
async function* counted(size: number, at: (piece: number) => void): AsyncGenerator<Uint8Array> {
  const whole = pattern(size);
  for (let from = 0, piece = 0; from < size; from += PIECE) {
    at(piece++);
    yield whole.subarray(from, from + PIECE);
  }
}

it("go on where a main node's link broke, both ways, though the source is read once", async ({
  onTestFinished,
}) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  await flock.worker(hub.url, { services: ["digest", "give"] });
  const road = await flock.road(hub.url);
  const main = await flock.main(road.url);
  const breakFor = (ms: number) => {
    road.cut();
    setTimeout(() => road.mend(), ms);
  };
  const size = 40 * MiB;
  const source = counted(size, (piece) => {
    if (piece % 50 === 40) breakFor(300);
  });
  const there = await main.request("digest", source);
  expect(there.json()).toEqual({ size, hash: sha256(pattern(size)) });
  const solution = await main.request("give", String(80 * MiB));
  const hash = createHash("sha256");
  let chunks = 0;
  for await (const chunk of solution.stream()) {
    hash.update(chunk);
    if (++chunks % 100 === 60) breakFor(300);
  }
  expect(chunks).toBeGreaterThan(200);
  expect(hash.digest("hex")).toBe(sha256(pattern(80 * MiB)));
});

it("go on where a node's link broke, both ways", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  const worker = await flock.worker(hub.url, { services: ["digest", "give"] });
  const main = await flock.main(hub.url);
  const size = 40 * MiB;
  const down = main.request("digest", pattern(size));
  await worker.program.said(/^read 1[2-9]\d{6}$/);
  worker.drop();
  expect((await down).json()).toEqual({ size, hash: sha256(pattern(size)) });
  const up = main.request("give", String(size));
  await worker.program.said(/^gave 1\d{7}$/);
  worker.drop();
  expect(sha256((await up).bytes())).toBe(sha256(pattern(size)));
  await worker.program.saidTimes(/^down/, 2);
});

it("begin again at a hub that restarted, or fail with stream_lost", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const port = await freePort();
  const place = { port, data: join(flock.folder, "data") };
  const first = await flock.hub(place);
  const main = await flock.main(first.url);
  const size = 24 * MiB;
  let kill = () => {};
  const killed = new Promise<void>((resolve) => (kill = () => void first.program.kill().then(resolve)));
  const once = main.request(
    "digest",
    counted(size, (piece) => piece === 60 && kill()),
  );
  const whole = main.request("digest", pattern(size));
  await killed;
  const second = await flock.hub(place);
  await flock.worker(second.url, { services: ["digest"] });
  await expect(Promise.resolve(once)).rejects.toMatchObject({ code: "stream_lost" });
  expect((await whole).json()).toEqual({ size, hash: sha256(pattern(size)) });
});

it("end with their job: a cancelled upload leaves nothing behind", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  await flock.worker(hub.url, { services: ["digest"] });
  const main = await flock.main(hub.url);
  const abort = new AbortController();
  let left = false;
  const endless = async function* () {
    try {
      for (let piece = 0; ; piece++) {
        if (piece === 40) abort.abort();
        yield new Uint8Array(PIECE);
      }
    } finally {
      left = true;
    }
  };
  await expect(
    Promise.resolve(main.request("digest", endless(), { signal: abort.signal })),
  ).rejects.toMatchObject({ code: "cancelled" });
  await until(
    "the source is told",
    () => Promise.resolve(left),
    (told) => told,
  );
  const failing = async function* () {
    yield new Uint8Array(PIECE);
    throw new Error("the disk of the source is gone");
  };
  await expect(Promise.resolve(main.request("digest", failing()))).rejects.toThrow(
    /the disk of the source is gone/,
  );
  expect((await main.request("digest", "still here")).json()).toMatchObject({ size: 10 });
});

it("can be looked at over HTTP while their job is open", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  const main = await flock.main(hub.url);
  const whole = pattern(MiB);
  const job = main.request("digest", whole);
  await until(
    "submitted",
    () => hub.jobs(),
    (jobs) => jobs.submitted === 1,
  );
  const url = `${hub.url.replace(/^ws/, "http")}/blobs/${sha256(whole)}`;
  const part = await fetch(url, { headers: { range: "bytes=1000-1999" } });
  expect(part.status).toBe(206);
  expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), whole.subarray(1000, 2000))).toBe(0);
  await flock.worker(hub.url, { services: ["digest"] });
  await job;
  await until(
    "gone with its job",
    () => fetch(url, { method: "HEAD" }).then(({ status }) => status),
    (status) => status === 404,
  );
});
