// The API as the README shows it, on real processes: payloads of every kind and size, order, limits, sessions.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ComputingNode, FlockworkError, JobError, MainNode, Tensor } from "../../dist/flock/index.node.js";
import { Flock, freePort, getJson, until } from "../flock.js";

const MiB = 1024 * 1024;

async function rejection(promise: PromiseLike<unknown>): Promise<JobError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof JobError) return error;
    throw error;
  }
  throw new Error("it was solved");
}

/** Bytes that differ from place to place. */
function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >>> 8)) & 255;
  return bytes;
}

test("the example", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  writeFileSync(join(flock.folder, "heavy.mjs"), "export const run = (job) => job.text().length;");
  const node = await ComputingNode.join({
    hub: hub.url,
    name: "worker",
    slots: 1,
    services: {
      upper: async (job, { signal }) => (signal.aborted ? "" : job.text().toUpperCase()),
      heavy: { module: join(flock.folder, "heavy.mjs"), export: "run" },
    },
  });
  flock.atEnd(() => node.close());
  const main = await flock.main(hub.url, { name: "main", session: "nightly" });
  const solution = await main.request("upper", "first job");
  expect([solution.text(), solution.node]).toEqual(["FIRST JOB", node.id]);
  expect(node.id).toMatch(/^worker(\.[0-9a-f]{2}){4}$/);
  for (const text of ["a", "four"]) expect((await main.request("heavy", text)).json()).toBe(text.length);
  const batch = main.submit("upper", ["a", "b", "c"]);
  const texts: string[] = [];
  for await (const s of batch) texts.push(s.ok ? s.text() : s.error.message);
  expect(texts.sort()).toEqual(["A", "B", "C"]);
  const big = await main.request("upper", "x".repeat(MiB), {
    attemptTimeoutMs: 5000,
    deadlineMs: 60_000,
    attempts: 3,
    priority: 1,
  });
  expect(big.text()).toBe("X".repeat(MiB));
  for await (const s of main.resume()) expect(s).toBe("nothing was missed");
});

test("payloads of any size arrive as they were sent, and leave nothing behind", async ({
  onTestFinished,
}) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  const node = await ComputingNode.join({ hub: hub.url, services: { echo: (job) => job.value() } });
  flock.atEnd(() => node.close());
  const main = await flock.main(hub.url);
  for (const size of [0, 1, 7, 8, 256 * 1024 - 1, 256 * 1024, 1_060_259, 20 * MiB]) {
    const bytes = pattern(size);
    const back = (await main.request("echo", bytes)).bytes();
    expect(Buffer.compare(back, bytes)).toBe(0);
  }
  const text = "a\0\u{1F426}".repeat(200_000);
  expect((await main.request("echo", text)).text() === text).toBe(true);
  const json = { list: Array.from({ length: 50_000 }, (_, i) => ({ i, s: `${i}` })) };
  expect((await main.request("echo", json)).json()).toEqual(json);
  const tensor = new Tensor(
    "float32",
    [1024, 300],
    new Float32Array(1024 * 300).map((_, i) => i / 3),
  );
  const back = (await main.request("echo", tensor)).tensor();
  expect([back.dtype, back.shape]).toEqual(["float32", [1024, 300]]);
  expect(
    Buffer.compare(
      Buffer.from(back.data.buffer, back.data.byteOffset, back.bytes),
      Buffer.from(tensor.data.buffer),
    ),
  ).toBe(0);
  // Many large ones side by side.
  const many = await Promise.all([1, 2, 3, 4].map((n) => main.request("echo", pattern(5 * MiB + n))));
  expect(many.map((solution) => solution.size)).toEqual([1, 2, 3, 4].map((n) => 5 * MiB + n));
  await until(
    "all is acknowledged",
    () => hub.jobs(),
    ({ sessions }) => sessions.every(({ unacknowledged }) => unacknowledged === 0),
  );
});

test("a payload over 1 GiB is refused where it is made, on either side", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  const node = await ComputingNode.join({
    hub: hub.url,
    services: { grow: (job) => new Uint8Array(Number(job.text())), size: (job) => job.size },
  });
  flock.atEnd(() => node.close());
  const main = await flock.main(hub.url);
  expect((await main.request("size", new Uint8Array(65 * MiB))).json()).toBe(65 * MiB);
  const sent = await rejection(main.request("size", new Uint8Array(1024 * MiB + 1)));
  expect([sent.code, sent.message]).toEqual(["too_large", expect.stringMatching(/1073741825/)]);
  const answered = await rejection(main.request("grow", String(1024 * MiB + 1)));
  expect(answered.code).toBe("too_large");
  // Another try would be as large.
  expect(answered.reasons).toHaveLength(1);
  expect((await main.request("size", "still well")).json()).toBe(10);
});

describe.concurrent("jobs", () => {
  test("run by priority, then in order", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const main = await flock.main(hub.url);
    const all = [
      main.submit("upper", ["low 1", "low 2"], { priority: -1 }),
      main.submit("upper", ["plain 1", "plain 2"]),
      main.submit("upper", ["high 1", "high 2"], { priority: 5 }),
    ];
    await until(
      "all wait",
      () => hub.jobs(),
      ({ waiting }) => waiting === 6,
    );
    const worker = await flock.worker(hub.url, { services: ["upper"] });
    for (const batch of all) for await (const result of batch) expect(result.ok).toBe(true);
    await until(
      "all runs are said",
      () => worker.began,
      (began) => began.length === 6,
    );
    expect(worker.began).toEqual(["high 1", "high 2", "plain 1", "plain 2", "low 1", "low 2"]);
  });

  test("end at their deadline, wherever they are", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const main = await flock.main(hub.url);
    const waiting = rejection(main.request("slow", "waits", { deadlineMs: 300 }));
    expect((await waiting).code).toBe("deadline");
    const worker = await flock.worker(hub.url);
    const running = rejection(main.request("slow", "runs 600000", { deadlineMs: 1000 }));
    await worker.runs("runs");
    expect((await running).code).toBe("deadline");
    await worker.program.said(/^aborted runs$/);
    expect((await main.request("slow", "next")).text()).toBe("NEXT");
  });

  test("are tried as often as asked, with every reason told", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    await flock.worker(hub.url);
    const main = await flock.main(hub.url);
    const failed = await rejection(main.request("fail", "apples", { attempts: 2 }));
    expect(failed.code).toBe("out_of_stock");
    expect(failed.reasons.map(({ code, message }) => [code, message])).toEqual([
      ["out_of_stock", "no apples today"],
      ["out_of_stock", "no apples today"],
    ]);
    expect((await rejection(main.request("failForGood", "pears"))).reasons).toHaveLength(1);
    expect((await main.request("failTwice", "plums")).text()).toBe("PLUMS");
  });

  test("nobody offers are told once, and wait", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    await flock.worker(hub.url, { services: ["slow"] });
    const notices: string[] = [];
    const main = await flock.main(hub.url, {
      onNotice: ({ code, message }) => notices.push(`${code} ${message}`),
    });
    const jobs = [main.request("upper", "a"), main.request("upper", "b")];
    await until(
      "the notice",
      () => notices.length,
      (n) => n > 0,
    );
    await flock.worker(hub.url, { services: ["upper"] });
    for (const job of jobs) await job;
    expect(notices).toEqual([
      'unknown_service No connected node offers "upper"; offered: slow. The job waits for one that does.',
    ]);
  });

  test("take solutions of earlier ones as inputs, large ones too", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const node = await ComputingNode.join({
      hub: hub.url,
      slots: 2,
      services: {
        make: (job) => new Uint8Array(Number(job.text())).fill(7),
        add: (job) => job.inputs.reduce((sum, input) => sum + input.size, 0),
      },
    });
    flock.atEnd(() => node.close());
    const main = await flock.main(hub.url);
    const small = main.request("make", "10");
    const large = main.request("make", String(3 * MiB));
    expect((await main.request("add", "", { inputs: [small, large, small] })).json()).toBe(3 * MiB + 20);
  });
});

describe.concurrent("sessions", () => {
  test("one live main node has one; what it missed waits for the next process", async ({
    expect,
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const first = await flock.main(hub.url, { session: "nightly" });
    const taken = await MainNode.join({ hub: hub.url, session: "nightly" }).catch((error: unknown) => error);
    expect(taken).toBeInstanceOf(FlockworkError);
    expect((taken as FlockworkError).code).toBe("session_taken");
    expect((taken as FlockworkError).message).toContain(first.id);
    first.submit("upper", ["a", "b", "c"]);
    await until(
      "they are taken",
      () => hub.jobs(),
      ({ waiting }) => waiting === 3,
    );
    await first.close();
    await flock.worker(hub.url);
    await until(
      "they are solved",
      () => hub.jobs(),
      ({ solved }) => solved === 3,
    );
    const second = await flock.main(hub.url, { session: "nightly" });
    expect(second.missed).toBe(3);
    const texts: string[] = [];
    for await (const result of second.resume()) {
      texts.push(result.ok ? result.text() : result.error.code);
      if (texts.length === 2) break;
    }
    await second.close();
    // Taking the next acknowledges the last: the second was shown, but perhaps not dealt with.
    const third = await flock.main(hub.url, { session: "nightly" });
    expect(third.missed).toBe(2);
    for await (const result of third.resume()) texts.push(result.ok ? result.text() : result.error.code);
    expect(texts).toEqual(["A", "B", "B", "C"]);
  });
});

test("a hub that is told to stop loses nothing, and is gone within ten seconds", async ({
  onTestFinished,
}) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  for (const name of ["a", "b"])
    await flock
      .command("computing-node", "--hub", hub.url, "--delay", "0", "--quiet", "-n", name)
      .said(/ready\.$/);
  const main = await flock.main(hub.url);
  const total = 20_000;
  const batch = main.submit(
    "upper",
    Array.from({ length: total }, (_, i) => `job ${i}`),
  );
  const seen = new Set<number>();
  const reading = (async () => {
    for await (const result of batch) {
      expect(result.ok ? result.text() : String(result.error)).toBe(`JOB ${result.index}`);
      expect(seen.has(result.index)).toBe(false);
      seen.add(result.index);
    }
  })();
  await until(
    "it is under load",
    () => seen.size,
    (n) => n > 1000,
  );
  const asked = performance.now();
  hub.program.signal("SIGTERM");
  expect(await hub.program.ended).toBe(0);
  expect(performance.now() - asked).toBeLessThan(10_000);
  await flock.hub({ port: hub.port });
  await reading;
  expect(seen.size).toBe(total);
});

test("a main node that finds no hub starts one inside itself, which ends with it", async ({
  onTestFinished,
}) => {
  const flock = new Flock(onTestFinished);
  const port = await freePort();
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("FLOCKWORK_HUB", undefined);
  vi.stubEnv("FLOCKWORK_DATA", join(flock.folder, "inside"));
  vi.stubEnv("FLOCKWORK_PORT", String(port));
  // Two at once end up on one hub.
  const [a, b] = await Promise.all([MainNode.join({ name: "a" }), MainNode.join({ name: "b" })]);
  flock.atEnd(() => Promise.all([a.close(), b.close()]).then(() => undefined));
  const worker = await flock.worker(`ws://127.0.0.1:${port}`);
  expect((await a.request("upper", "a")).text()).toBe("A");
  expect((await b.request("upper", "b")).text()).toBe("B");
  await worker.program.kill();
  await Promise.all([a.close(), b.close()]);
  await expect(getJson(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});
