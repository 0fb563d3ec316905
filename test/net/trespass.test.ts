// What is well formed and not allowed: answers to tasks never given, other domains, other clients' jobs, paths out of /blobs/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Flock, until } from "../flock.js";
import { Bare, bystander, CLIENT, fetchRaw, guarded, nodeWords, Raw } from "./raw.js";

const STREAM = "00112233445566778899aabbccddeeff";

function answer(task: number, attempt = 1) {
  const data = new TextEncoder().encode("A LIE...");
  const columns = { kinds: Uint8Array.of(1), lengths: Uint32Array.of(8), data };
  const attempts = { tasks: Float64Array.of(task), attempts: Uint16Array.of(attempt) };
  return { t: "solved", ...attempts, ms: Float32Array.of(1), ...columns };
}

/** The first task of a hub's first life. */
const FIRST_TASK = 2 ** 32;

describe.concurrent("a node that", () => {
  it("answers tasks it was never given is told so, and the task goes on where it runs", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const worker = await flock.worker(hub.url, { services: ["slow"] });
    const main = await flock.main(hub.url);
    const job = main.request("slow", "truth 1500");
    await worker.runs("truth");
    // It offers the service too, so that nothing but the task's owner tells them apart.
    const liar = await Raw.joined(flock, hub.url, nodeWords("liar.00.00.00.01", ["slow"]));
    const ref = { tasks: Float64Array.of(FIRST_TASK), attempts: Uint16Array.of(1) };
    liar.say(answer(FIRST_TASK));
    expect((await liar.hears("notice")).message).toMatch(/answers task 4294967296, which it was not given/);
    for (const attempt of [1, 2, 65_535]) liar.say(answer(FIRST_TASK, attempt));
    liar.say({ t: "failed", task: FIRST_TASK, attempt: 1, code: "x", message: "a lie", retry: false });
    liar.say({ t: "dropped", ...ref });
    liar.say({
      t: "fetch",
      id: STREAM,
      offset: 0,
      upTo: 1000,
      of: { task: FIRST_TASK, attempt: 1, index: 0 },
    });
    expect((await liar.hears("broken")).message).toMatch(/no payload to be fetched here/);
    const solution = await job;
    expect([solution.text(), solution.node]).toEqual(["TRUTH", await worker.joined()]);
    // Also not as one that it says it was running when its link broke.
    const next = main.request("slow", "next 1500");
    await worker.runs("next");
    const words = nodeWords("liar.00.00.00.02", ["slow"]);
    const running = { tasks: Float64Array.of(FIRST_TASK + 1), attempts: Uint16Array.of(1) };
    const other = await Raw.joined(flock, hub.url, { ...words, node: { ...words.node!, ...running } });
    expect((await other.hears("stop")).tasks).toEqual(running.tasks);
    other.say(answer(FIRST_TASK + 1));
    await other.hears("notice", ({ code }) => code === "bad_message");
    expect((await next).text()).toBe("NEXT");
  });

  it("is of another domain gets no job of this one, and answers none", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const main = await flock.main(hub.url, { domain: "10" });
    const job = main.request("slow", "mine 1");
    await until(
      "the job",
      () => hub.jobs(),
      ({ waiting }) => waiting === 1,
    );
    const liar = await Raw.joined(flock, hub.url, {
      ...nodeWords("liar.00.00.00.01", ["slow"]),
      domain: "11",
    });
    for (let task = FIRST_TASK; task < FIRST_TASK + 3; task++) liar.say(answer(task));
    expect((await liar.hears("notice")).code).toBe("bad_message");
    expect(await hub.jobs()).toMatchObject({ waiting: 1, solved: 0 });
    const worker = await flock.worker(hub.url, { domain: "10", services: ["slow"] });
    expect((await job).node).toBe(await worker.joined());
    expect(liar.heard.some(({ t }) => t === "run")).toBe(false);
  });

  it("takes the name of a living node is refused", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const id = await (await flock.worker(hub.url)).joined();
    const liar = new Raw(flock, hub.url);
    await liar.hears("challenge");
    liar.say(nodeWords(id, ["quiet"]));
    expect(await liar.refused("session_taken")).toMatch(/A live node is called/);
  });
});

describe.concurrent("a client that", () => {
  it("names jobs of another client reaches its own only", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const worker = await flock.worker(hub.url, { services: ["slow", "quiet"] });
    const main = await flock.main(hub.url, { session: "victim" });
    const job = main.request("slow", "mine 1500");
    await worker.runs("mine");
    const runs = Float64Array.of(0, 1000);
    const thief = await Raw.joined(flock, hub.url, { session: "thief", durable: true });
    thief.say({ t: "cancel", runs }, { t: "ack", runs }, { t: "resume" });
    thief.say({ t: "fetch", id: STREAM, offset: 0, upTo: 1000, of: { seq: 0 } });
    expect((await thief.hears("broken")).message).toMatch(/no solution of this session/);
    // The same numbers are other jobs, and an input is one of its own.
    const columns = { kinds: Uint8Array.of(1), lengths: Uint32Array.of(5), data: new Uint8Array(8).fill(97) };
    thief.say({ t: "submit", seq: 5, service: "quiet", inputs: [0], ...columns });
    expect((await thief.hears("refused")).message).toMatch(/Job 0 can not be an input: it is unknown/);
    thief.say({ t: "submit", seq: 0, service: "quiet", ...columns });
    expect((await thief.hears("solutions")).seqs).toEqual(Float64Array.of(0));
    // Nor by the other's name, while the other lives.
    const twin = new Raw(flock, hub.url);
    await twin.hears("challenge");
    twin.say({ ...CLIENT, session: "victim", durable: true });
    expect(await twin.refused("session_taken")).toMatch(/is in use by the main node/);
    expect((await job).text()).toBe("MINE");
  });

  it("uses a session's name with another owner's token has another session", async ({ onTestFinished }) => {
    const { flock, hub, tokens } = await guarded(onTestFinished);
    const made = flock.command(
      "token",
      "create",
      "--role",
      "main",
      "--owner",
      "bob",
      "--data",
      join(flock.folder, "data"),
    );
    expect(await made.ended).toBe(0);
    const anna = await flock.main(hub.url, { session: "nightly", token: tokens.main });
    const job = anna.request("slow", "anna 1");
    await hub.logged(/client joined/);
    const words = { session: "nightly", durable: true, instance: "2" };
    const bob = await until(
      "the new token to be known",
      async () => {
        const raw = new Raw(flock, hub.url);
        raw.say(await raw.prove(made.out[0]!, words));
        await until(
          "an answer",
          () => raw.heard.length,
          (heard) => heard > 1,
        );
        return raw;
      },
      (raw) => raw.heard.some(({ t }) => t === "welcome"),
    );
    const runs = Float64Array.of(0, 10);
    bob.say({ t: "resume" }, { t: "cancel", runs }, { t: "ack", runs });
    const node = flock.command("computing-node", "--hub", hub.url, "--token", tokens.compute, "--delay", "0");
    await node.said(/ready/);
    expect((await anna.request("upper", "still here")).text()).toBe("STILL HERE");
    expect(bob.heard.some(({ t }) => t === "solutions" || t === "unsolved")).toBe(false);
    job.catch(() => undefined);
  });
});

it("a path that climbs out of /blobs/ finds nothing, in whatever spelling", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const data = join(flock.folder, "data");
  mkdirSync(data);
  writeFileSync(join(data, "secret"), "not for you");
  const hub = await flock.hub({ data });
  const works = await bystander(flock, hub);
  const hash = "0".repeat(64);
  for (const path of [
    "/blobs/../secret",
    "/blobs/../../data/secret",
    "/blobs/%2e%2e/secret",
    "/blobs/..%2fsecret",
    "/blobs/..%5csecret",
    "/blobs/....//secret",
    `/blobs/${hash}/../../secret`,
    `/blobs/${hash}%00`,
    `/blobs/${hash}/`,
    `/blobs//${hash}`,
    `/blobs/${"A".repeat(64)}`,
    "/blobs/",
    "/blobs/.",
    "/blobs/..",
    "/blobs/tokens.json",
    "/../secret",
    "/%2e%2e/secret",
    "//secret",
    "/blobs/..;/secret",
    "http://127.0.0.1/blobs/../secret",
  ]) {
    const { status, body } = await fetchRaw(hub.port, path);
    expect([path, status]).toEqual([path, 404]);
    expect(body).not.toContain("not for you");
  }
  // A request line that no client library would send.
  const bare = new Bare(flock, hub.port, `GET /blobs/../secret\0 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
  await bare.ended();
  expect(bare.heard).toMatch(/^HTTP\/1\.1 400/);
  await works();
});
