// Limits with names: past each of them whoever crossed it gets an error, and somebody else is served as before.
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Flock, HubProcess, until, type OnFinished } from "../flock.js";
import { Bare, bystander, CLIENT, fetchRaw, nodeWords, Raw, webSocketHead } from "./raw.js";

const HUB = fileURLToPath(new URL("./hub.mjs", import.meta.url));
const KiB = 1024;
const UPLOAD = "00112233445566778899aabbccddeeff";

async function limited(onFinished: OnFinished, limits: Readonly<Record<string, number>>) {
  const flock = new Flock(onFinished);
  const program = flock.script(HUB, JSON.stringify({ limits }));
  const hub = new HubProcess(program, (await program.said(/listens on/)).split(" ").at(-1)!);
  return { flock, hub, works: await bystander(flock, hub) };
}

function submit(seq: number, bytes: number, service = "nobody") {
  const data = new Uint8Array((bytes + 7) & ~7);
  const columns = { kinds: Uint8Array.of(0), lengths: Uint32Array.of(bytes), data };
  return { t: "submit", seq, service, ...columns };
}

it.concurrent(
  "jobsPerSession and bytesPerSession: submits past them are refused",
  async ({ onTestFinished }) => {
    const { flock, hub, works } = await limited(onTestFinished, { jobsPerSession: 3, bytesPerSession: 1000 });
    const jobs = await Raw.joined(flock, hub.url, { session: "jobs" });
    for (let seq = 0; seq < 4; seq++) jobs.say(submit(seq, 8));
    expect(await jobs.hears("refused")).toMatchObject({ code: "limit", runs: Float64Array.of(3, 1) });
    const bytes = await Raw.joined(flock, hub.url, { session: "bytes" });
    bytes.say(submit(0, 600), submit(1, 600));
    expect((await bytes.hears("refused")).message).toMatch(
      /600 bytes of jobs and results; the limit is 1000/,
    );
    await works();
  },
);

it.concurrent("bytesPerSession: results that are not taken count", async ({ onTestFinished }) => {
  const { flock, hub, works } = await limited(onTestFinished, { bytesPerSession: 60_000 });
  await flock.worker(hub.url, { services: ["grow"] });
  const raw = await Raw.joined(flock, hub.url);
  raw.say(submit(0, 8, "grow")); // answered with 100 kB
  await raw.hears("solutions");
  raw.say(submit(1, 8, "grow"));
  expect((await raw.hears("refused")).code).toBe("limit");
  await works();
});

it.concurrent(
  "sessionsPerOwner: an empty session that is away gives way, a used one does not",
  async ({ onTestFinished }) => {
    const { flock, hub } = await limited(onTestFinished, { sessionsPerOwner: 4 }); // the bystander has one
    for (let i = 0; i < 20; i++) {
      const raw = await Raw.joined(flock, hub.url, { session: `passing ${i}`, durable: true });
      raw.socket.close();
      await raw.ended();
    }
    expect((await hub.jobs()).sessions).toHaveLength(4);
    for (let i = 0; i < 3; i++) await Raw.joined(flock, hub.url, { session: `staying ${i}` });
    const late = new Raw(flock, hub.url);
    await late.hears("challenge");
    late.say({ ...CLIENT, session: "late" });
    expect(await late.refused("limit")).toMatch(/There are 4 sessions of local/);
  },
);

it.concurrent(
  "bytesPerNode: an upload that goes past it breaks, declared or not",
  async ({ onTestFinished }) => {
    const { flock, hub, works } = await limited(onTestFinished, { bytesPerNode: 100 * KiB });
    const node = await Raw.joined(flock, hub.url, nodeWords("liar.00.00.00.01", ["other"]));
    node.say({ t: "open", id: UPLOAD, bytes: 200 * KiB });
    expect(await node.hears("broken")).toMatchObject({ code: "limit" });
    const silent = UPLOAD.replace("00", "01");
    node.say({ t: "open", id: silent });
    await node.hears("grant", ({ id }) => id === silent);
    for (let i = 0; i < 3; i++)
      node.say({ t: "chunk", id: silent, offset: i * 50 * KiB, data: new Uint8Array(50 * KiB) });
    expect(await node.hears("broken", ({ id }) => id === silent)).toMatchObject({ code: "limit" });
    await works();
  },
);

it.concurrent(
  "connectionsPerAddress: of WebSockets, and of sockets of any kind",
  async ({ onTestFinished }) => {
    const { flock, hub, works } = await limited(onTestFinished, { connectionsPerAddress: 6 });
    const taken: Raw[] = [];
    // The bystanders have three: a link each, and the node's beat.
    const connections = async () =>
      /flockwork_connections (\d+)/.exec((await fetchRaw(hub.port, "/metrics")).body)![1];
    await until("the beat", connections, (count) => count === "3");
    for (let i = 0; i < 3; i++) taken.push(await Raw.joined(flock, hub.url, { session: `${i}` }));
    const answer = await fetchRaw(hub.port, "/", {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    });
    expect([answer.status, answer.body]).toEqual([
      403,
      expect.stringMatching(/6 connections, which is the limit/),
    ]);
    const bare = Array.from({ length: 12 }, () => new Bare(flock, hub.port));
    await until(
      "some of them end at once",
      () => bare.filter(({ closed }) => closed).length,
      (closed) => closed >= 6,
      4000, // the silent ones end after five seconds
    );
    await works();
    for (const { socket } of bare) socket.destroy();
    taken[0]!.socket.close();
    await taken[0]!.ended();
    await Raw.joined(flock, hub.url, { session: "next" });
  },
);

it.concurrent("unfinishedBytes: the largest unfinished frames are cut", async ({ onTestFinished }) => {
  const { flock, hub, works } = await limited(onTestFinished, { unfinishedBytes: 4000 * KiB });
  const half = async (session: string, bytes: number) => {
    const raw = await Raw.joined(flock, hub.url, { session });
    // Past the WebSocket's own framing: the head of a large message and a part of it.
    const { _socket: socket } = raw.socket as unknown as { _socket: Bare["socket"] };
    socket.write(Buffer.concat([webSocketHead(15_000 * KiB), new Uint8Array(bytes)]));
    return raw;
  };
  const [small, large] = [await half("small", 500 * KiB), await half("large", 3900 * KiB)];
  await large.ended();
  await works();
  expect(small.closed).toBe(false);
});

it.concurrent("unreadBytes: who asks for much and reads nothing is cut", async ({ onTestFinished }) => {
  const { flock, hub, works } = await limited(onTestFinished, { unreadBytes: 2000 * KiB, unreadMs: 1000 });
  const raw = await Raw.joined(flock, hub.url);
  raw.socket.pause();
  // Each is answered with the hundred kilobytes of text that it sent.
  await flock.worker(hub.url, { services: ["grow"] });
  for (let seq = 0; seq < 300; seq++) raw.say(submit(seq, 8, "grow"));
  await hub.program.warned(/peer does not read/, 60_000);
  await works();
});

it.concurrent(
  "messagesPerSecond and badMessagesPerSecond close whoever goes past them",
  async ({ onTestFinished }) => {
    const limits = { messagesPerSecond: 10, badMessagesPerSecond: 2 };
    const { flock, hub, works } = await limited(onTestFinished, limits);
    const many = await Raw.joined(flock, hub.url, { session: "many" });
    many.say(...Array.from({ length: 41 }, () => ({ t: "beat" })));
    expect(await many.refused("limit")).toMatch(/More than 10 messages a second/);
    const bad = await Raw.joined(flock, hub.url, { session: "bad" });
    for (let i = 0; i < 9; i++) bad.sayBytes(Uint8Array.of(i));
    expect(await bad.refused("limit")).toMatch(/More than 2 messages a second that do not fit/);
    expect(bad.notices("bad_message")).toHaveLength(8);
    await works();
  },
);
