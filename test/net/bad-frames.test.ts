// What bad bytes get: an error to whoever sent them, bounded memory, and nobody else notices. Each row in a real hub.
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../dist/wire/index.js";
import { Flock, until, type OnFinished } from "../flock.js";
import { Bare, bystander, CLIENT, fetchRaw, memoryOf, Raw, webSocketHead } from "./raw.js";

const MiB = 2 ** 20;
/** What one hostile peer may make a hub hold for a moment, beyond what it had. */
const ROOM = 160 * MiB;

const SUBMIT = {
  t: "submit",
  seq: 0,
  service: "quiet",
  kinds: Uint8Array.of(1),
  lengths: Uint32Array.of(3),
  data: Uint8Array.of(97, 98, 99, 0, 0, 0, 0, 0),
};

function frameOf(header: readonly number[], claimed = header.length, tail: readonly number[] = []) {
  const bytes = Buffer.alloc(4 + header.length + tail.length);
  bytes.writeUInt32LE(claimed >>> 0);
  bytes.set(header, 4);
  bytes.set(tail, 4 + header.length);
  return bytes;
}

/** A hub, somebody else on it, and a check that both are as they were. */
async function scene(onFinished: OnFinished) {
  const flock = new Flock(onFinished);
  const hub = await flock.hub();
  const works = await bystander(flock, hub);
  await works();
  const before = memoryOf(hub.program.pid).now;
  const unharmed = async () => {
    await works();
    expect((await fetchRaw(hub.port, "/healthz")).status).toBe(200);
    expect(memoryOf(hub.program.pid).most - before).toBeLessThan(ROOM);
    expect(hub.program.err.filter((line) => /a bug/.test(line))).toEqual([]);
  };
  return { flock, hub, works, unharmed };
}

/** Frames that lie, by what they say. */
const LIES: Readonly<Record<string, Uint8Array>> = {
  "nothing at all": new Uint8Array(),
  "three bytes": Uint8Array.of(1, 0, 0),
  "a header of 4 GiB": frameOf([0x90], 0xffff_ffff),
  "a header one byte longer than it is": frameOf([0x90], 2),
  "a header shorter than it is": frameOf([0x91, 0x81, 0xa1, 0x74, 0xa1, 0x78], 1),
  "a list of 4,294,967,295 items": frameOf([0xdd, 0xff, 0xff, 0xff, 0xff]),
  "a map of 4,294,967,295 keys": frameOf([0x91, 0xdf, 0xff, 0xff, 0xff, 0xff]),
  "a text of 4 GiB": frameOf([0x91, 0xdb, 0xff, 0xff, 0xff, 0xff]),
  "an attachment of 4 GiB": frameOf([0x91, 0xd6, 1, 0xff, 0xff, 0xff, 0xff]),
  "an attachment beyond the end": frameOf([0x91, 0xd6, 1, 9, 0, 0, 0], 7, [0, 0, 0, 0, 0]),
  "attachments whose lengths wrap round": frameOf([
    0x92, 0xd6, 1, 0xf8, 0xff, 0xff, 0xff, 0xd6, 1, 8, 0, 0, 0,
  ]),
  "an attachment of half an element": frameOf([0x91, 0xd6, 6, 4, 0, 0, 0], 7, [0, 0, 0, 0, 0, 1, 2, 3, 4]),
  "bytes that no message names": frameOf([0x90], 1, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
  "lists in lists in lists": frameOf([...Array<number>(5000).fill(0x91), 0xc0]),
  "a number where the list should be": frameOf([7]),
  "a key that would change every object": frameOf([
    0x91,
    0x81,
    0xa9,
    ...Buffer.from("__proto__"),
    0x81,
    0xa1,
    0x74,
    0xa4,
    ...Buffer.from("beat"),
  ]),
  "lengths that do not add up": encodeFrame([{ ...SUBMIT, lengths: Uint32Array.of(4_000_000_000) }]),
  "more lengths than kinds": encodeFrame([{ ...SUBMIT, lengths: Uint32Array.of(1, 1, 1) }]),
};

describe.concurrent("a hub is sent", () => {
  it("random bytes, by a peer that was welcomed: each is answered, and costs only itself", async ({
    onTestFinished,
  }) => {
    const { flock, hub, unharmed } = await scene(onTestFinished);
    const raw = await Raw.joined(flock, hub.url);
    for (let i = 0; i < 200; i++) raw.sayBytes(randomBytes(1 + ((i * 37) % 3000)));
    await until(
      "200 notices",
      () => raw.notices("bad_message").length,
      (count) => count === 200,
    );
    raw.say({ ...SUBMIT });
    await raw.hears("solutions");
    await unharmed();
  });

  it("random bytes, by somebody unknown: the connection ends", async ({ onTestFinished }) => {
    const { flock, hub, unharmed } = await scene(onTestFinished);
    const raw = new Raw(flock, hub.url);
    await raw.hears("challenge");
    raw.sayBytes(randomBytes(500));
    expect(await raw.refused("bad_message")).toMatch(/Not a Flockwork frame/);
    const bare = Array.from({ length: 50 }, () => new Bare(flock, hub.port, randomBytes(2000)));
    for (const { ended } of bare.map((b) => ({ ended: b.ended() }))) await ended;
    await unharmed();
  });

  it("truncated frames, cut at every length", async ({ onTestFinished }) => {
    const { flock, hub, unharmed } = await scene(onTestFinished);
    const raw = await Raw.joined(flock, hub.url);
    const whole = encodeFrame([SUBMIT]);
    // Without the last attachment's padding it is whole.
    const cut = whole.length - 5;
    for (let length = 0; length < cut; length++) raw.sayBytes(whole.subarray(0, length));
    await until(
      "a notice each",
      () => raw.notices("bad_message").length,
      (count) => count === cut,
    );
    expect((await hub.jobs()).submitted).toBe(1);
    raw.sayBytes(whole);
    await raw.hears("solutions");
    await unharmed();
  });

  it("frames that lie about their lengths", async ({ onTestFinished }) => {
    const { flock, hub, unharmed } = await scene(onTestFinished);
    for (const [what, bytes] of Object.entries(LIES)) {
      const raw = await Raw.joined(flock, hub.url, { session: what });
      raw.sayBytes(bytes);
      const { code, fatal } = await raw.hears("notice");
      expect([code, fatal], what).toEqual(["bad_message", false]);
      raw.socket.close();
    }
    await unharmed();
  });

  it("an oversized frame, which ends the connection unread", async ({ onTestFinished }) => {
    const { flock, hub, unharmed } = await scene(onTestFinished);
    const raw = await Raw.joined(flock, hub.url);
    raw.sayBytes(new Uint8Array(17 * MiB));
    await raw.ended();
    expect(raw.code).toBe(1009); // message too big
    // One that only says that it is large ends as soon.
    const bare = await Bare.upgraded(flock, hub.port);
    bare.socket.write(webSocketHead(2 ** 40));
    await bare.ended();
    await unharmed();
  });

  it("one frame of a million tiny messages, and one of very many bad ones", async ({ onTestFinished }) => {
    const { flock, hub, unharmed } = await scene(onTestFinished);
    const tiny = Buffer.alloc(4 + 5 + 1_000_000);
    tiny.writeUInt32LE(5 + 1_000_000);
    tiny.set([0xdd, 0x00, 0x0f, 0x42, 0x40], 4);
    tiny.fill(0x80, 9); // an empty map each
    const raw = await Raw.joined(flock, hub.url);
    raw.sayBytes(tiny);
    expect((await raw.hears("notice")).message).toMatch(/1000000 messages, more than 65536/);
    // As many as one frame may hold: the rate of bad ones ends the connection, not a notice for each.
    raw.say(...Array.from({ length: 65_000 }, () => ({ t: "nonsense" })));
    expect(await raw.refused("limit")).toMatch(/100 messages a second that do not fit/);
    expect(raw.notices("bad_message").length).toBeLessThan(1000);
    await unharmed();
  });

  it("a flood of messages: whoever sends it is closed, others are served meanwhile", async ({
    onTestFinished,
  }) => {
    const { flock, hub, works, unharmed } = await scene(onTestFinished);
    const raw = await Raw.joined(flock, hub.url);
    const beats = Array.from({ length: 5000 }, () => ({ t: "beat" }));
    let served = 0;
    const flood = (async () => {
      while (!raw.closed) {
        raw.say(...beats);
        await new Promise((next) => setTimeout(next, 5));
      }
    })();
    while (!raw.closed) {
      await works();
      served++;
    }
    await flood;
    expect(await raw.refused("limit")).toMatch(/More than 20000 messages a second/);
    expect(served).toBeGreaterThan(0);
    await unharmed();
  });
});

describe.concurrent("slow-loris connections", () => {
  it("that never finish a request, a hello or a frame end by themselves", async ({ onTestFinished }) => {
    const { flock, hub, works, unharmed } = await scene(onTestFinished);
    const head = `GET / HTTP/1.1\r\nhost: 127.0.0.1:${hub.port}\r\n`;
    const many = (make: () => Bare) => Array.from({ length: 40 }, make);
    const silent = many(() => new Bare(flock, hub.port));
    const trickling = many(() => new Bare(flock, hub.port, head));
    // A WebSocket handshake that lacks its last line.
    const upgrading = many(() => new Bare(flock, hub.port, `${head}upgrade: websocket\r\n`));
    const upgraded = await Promise.all(
      many(() => undefined as never).map(() => Bare.upgraded(flock, hub.port)),
    );
    for (const [i, { socket }] of upgraded.entries())
      if (i % 2 === 0)
        socket.write(Buffer.concat([webSocketHead(1000), encodeFrame([CLIENT]).subarray(0, 20)]));
    const all = [...silent, ...trickling, ...upgrading, ...upgraded];
    // A byte now and then does not help.
    const drip = setInterval(() => {
      for (const { socket, closed } of [...trickling, ...upgrading]) if (!closed) socket.write("x");
    }, 500);
    try {
      while (all.some(({ closed }) => !closed)) {
        await works();
        await new Promise((next) => setTimeout(next, 100));
      }
    } finally {
      clearInterval(drip);
    }
    await unharmed();
  });

  it("that hold much of a frame are cut, the largest first; before a hello much is little", async ({
    onTestFinished,
  }) => {
    const { flock, hub, works, unharmed } = await scene(onTestFinished);
    const stranger = await Bare.upgraded(flock, hub.port);
    stranger.socket.write(Buffer.concat([webSocketHead(15 * MiB), new Uint8Array(2 * MiB)]));
    await stranger.ended();
    await hub.logged(/More than 1048576 bytes came before a hello/);
    await works();
    await unharmed();
  });
});
