// Streams at a whole hub, spoken by hand: who may fetch what, what an upload may be named by, and what bad input gets.
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect, it } from "vitest";
import { openEphemeral } from "../backbone/index.js";
import { packPayloads, type Message, type MessageOf } from "../wire/index.js";
import { BlobPayloads } from "./blob-payloads.js";
import { DEFAULT_LIMITS } from "./limits.js";
import type { Peer } from "./peer.js";
import { ends, hub, idOf, peer } from "./peers.testing.js";
import { Transfers, type StreamOwner } from "./transfers.js";

const empty = packPayloads([{ kind: 0, bytes: new Uint8Array() }]);
const data = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

it.each([true, false])(
  "are for the session and the node that the job says, and for nobody else; stored: %s",
  async (stores) => {
    const folder = await mkdtemp(join(tmpdir(), "flockwork-test-"));
    ends.push(() => rm(folder, { recursive: true }));
    const url = await hub(stores ? folder : undefined);
    const main = await peer(url, "client", "main");
    const thief = await peer(url, "client", "thief");
    const node = await peer(url, "node", "node");
    main.link.send({ t: "open", id: idOf(1), bytes: data.length });
    expect(await main.next("grant")).toMatchObject({ id: idOf(1), have: 0 });
    main.link.send({ t: "chunk", id: idOf(1), offset: 0, data });
    main.link.send({ t: "end", id: idOf(1), bytes: data.length });
    const { hash } = await main.next("kept");
    // A hub that keeps nothing does not hash either.
    expect(hash).toBe(stores ? createHash("sha256").update(data).digest("hex") : undefined);
    // Another client can not name it.
    thief.link.send({ t: "submit", seq: 0, service: "upper", ...empty, streams: [[0, idOf(1)]] });
    expect(await thief.next("refused")).toMatchObject({ code: "stream_lost" });
    main.link.send({ t: "submit", seq: 0, service: "upper", ...empty, streams: [[0, idOf(1)]] });
    await main.next("accepted");
    // It was named once.
    main.link.send({ t: "submit", seq: 1, service: "upper", ...empty, streams: [[0, idOf(1)]] });
    expect(await main.next("refused")).toMatchObject({ code: "stream_lost" });
    const run = await node.next("run");
    expect(run.streams).toEqual([[0, data.length]]);
    const of = { task: run.tasks[0]!, attempt: run.attempts[0]!, index: 0 };
    const other = await peer(url, "node", "other");
    other.link.send({ t: "fetch", id: idOf(2), offset: 0, upTo: 10_000, of });
    expect(await other.next("broken")).toMatchObject({ id: idOf(2), code: "bad_argument" });
    node.link.send({ t: "fetch", id: idOf(3), offset: 900, upTo: 950, of });
    expect(await node.next("chunk")).toMatchObject({ offset: 900, data: data.subarray(900, 950) });
    node.link.send({ t: "grant", id: idOf(3), have: 950, upTo: 2000 });
    expect(await node.next("chunk")).toMatchObject({ offset: 950, data: data.subarray(950) });
    expect(await node.next("end")).toMatchObject({ bytes: data.length });
    // The solution: an answer that names no upload is asked for again, one that names one is stored.
    const { tasks, attempts } = run;
    const answer = { t: "solved", tasks, attempts, ms: Float32Array.of(1), ...empty } as const;
    node.link.send({ ...answer, streams: [[0, idOf(4)]] });
    expect(await node.next("broken")).toMatchObject({ id: idOf(4), code: "stream_lost" });
    node.link.send({ t: "open", id: idOf(4) });
    await node.next("grant");
    node.link.send({ t: "chunk", id: idOf(4), offset: 0, data });
    node.link.send({ t: "end", id: idOf(4), bytes: data.length });
    await node.next("kept");
    node.link.send({ ...answer, streams: [[0, idOf(4)]] });
    await node.next("stored");
    expect((await main.next("solutions")).streams).toEqual([[0, data.length]]);
    thief.link.send({ t: "fetch", id: idOf(5), offset: 0, upTo: 10_000, of: { seq: 0 } });
    expect(await thief.next("broken")).toMatchObject({ id: idOf(5), code: "bad_argument" });
    main.link.send({ t: "fetch", id: idOf(6), offset: 0, upTo: 10_000, of: { seq: 0 } });
    expect(await main.next("chunk")).toMatchObject({ offset: 0, data });
  },
);

it("that do not fit cost their sender the stream, and only that", async () => {
  const url = await hub();
  const main = await peer(url, "client", "main");
  const bad = async (n: number, ...messages: Parameters<typeof main.link.send>[0][]) => {
    main.link.send({ t: "open", id: idOf(n) });
    for (const message of messages) main.link.send(message);
    return (await main.next("broken")).code;
  };
  const far = 2 ** 40;
  expect(await bad(1, { t: "chunk", id: idOf(1), offset: 5, data })).toBe("bad_message");
  expect(await bad(2, { t: "chunk", id: idOf(2), offset: far, data })).toBe("bad_message");
  expect(await bad(3, { t: "end", id: idOf(3), bytes: 7 })).toBe("bad_message");
  main.link.send({ t: "open", id: idOf(4), bytes: 2 ** 31 });
  expect(await main.next("broken")).toMatchObject({ id: idOf(4), code: "too_large" });
  // Nobody knows these.
  main.link.send({ t: "chunk", id: idOf(5), offset: 0, data });
  main.link.send({ t: "grant", id: idOf(5), have: 0, upTo: far });
  main.link.send({ t: "end", id: idOf(5), bytes: 7 });
  for (let i = 0; i <= DEFAULT_LIMITS.streamsPerPeer; i++) main.link.send({ t: "open", id: idOf(100 + i) });
  expect(await main.next("broken")).toMatchObject({
    id: idOf(100 + DEFAULT_LIMITS.streamsPerPeer),
    code: "limit",
  });
  // A stream where bytes are as well, and one for no payload.
  const full = packPayloads([{ kind: 0, bytes: data }]);
  main.link.send({ t: "submit", seq: 0, service: "upper", ...full, streams: [[0, idOf(1)]] });
  expect((await main.next("notice")).message).toMatch(/payload 0 is a stream and has 1000 bytes/);
  main.link.send({ t: "submit", seq: 0, service: "upper", ...empty, streams: [[7, idOf(1)]] });
  expect((await main.next("notice")).message).toMatch(/payload 7 can not be a stream here/);
  main.link.send({ t: "submit", seq: 0, service: "upper", ...full });
  await main.next("accepted");
});

it("of owners who are away are kept for a while, those of the first of them as far as there is room", async () => {
  const backbone = await openEphemeral();
  ends.push(() => backbone.close());
  const limits = { ...DEFAULT_LIMITS, awayUploads: 2 };
  const blobs = new BlobPayloads(backbone.blobs, limits.blobBytes);
  const transfers = new Transfers(blobs, limits, pino({ level: "silent" }));
  const grants: MessageOf<"grant">[] = [];
  const connection = { send: (message: Message) => grants.push(message as MessageOf<"grant">) };
  const here = connection as unknown as Peer;
  const owners = [0, 1, 2, 3].map(() => ({ peer: here }) as { peer: Peer | undefined } & StreamOwner);
  const open = (owner: StreamOwner): number | undefined => {
    grants.length = 0;
    transfers.message(owner, here, { t: "open", id: idOf(1) });
    return grants.at(-1)?.have;
  };
  for (const owner of owners) {
    open(owner);
    transfers.message(owner, here, { t: "chunk", id: idOf(1), offset: 0, data });
  }
  // The last stays.
  owners.slice(0, 3).forEach((owner, i) => {
    owner.peer = undefined;
    transfers.sweep(1000 * i);
  });
  for (const owner of owners) owner.peer = here;
  expect(owners.map(open)).toEqual([0, 1000, 1000, 1000]);
  owners[1]!.peer = undefined;
  transfers.sweep(10_000);
  transfers.sweep(80_000);
  owners[1]!.peer = here;
  expect(owners.map(open)).toEqual([0, 0, 1000, 1000]);
});
