// Jobs whose payload is still coming, at a whole hub and spoken by hand: a node reads what there is, and whoever dies meanwhile
// costs no attempt and leaves nothing that is wrong.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CHUNK_BYTES, packPayloads, WINDOW_BYTES, type MessageOf } from "../wire/index.js";
import { ends, hub, idOf, peer } from "./peers.testing.js";

const empty = packPayloads([{ kind: 0, bytes: new Uint8Array() }]);
/** Within one window, so that nobody need wait for a grant. */
const data = Uint8Array.from({ length: WINDOW_BYTES - 1000 }, (_, i) => i % 251);
/** So little is left that the rest is taken to be near, however slow this machine is. */
const NEARLY = data.length - 1000;
const UPLOAD = idOf(1);

type Peer<R extends "client" | "node"> = Awaited<ReturnType<typeof peer<R>>>;

async function start(stores: boolean): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "flockwork-test-"));
  ends.push(() => rm(folder, { recursive: true }));
  return hub(stores ? folder : undefined);
}

function send({ link }: Peer<"client">, from: number, to: number): void {
  for (let at = from; at < to; at += CHUNK_BYTES) {
    const chunk = data.subarray(at, Math.min(to, at + CHUNK_BYTES));
    link.sendAlone({ t: "chunk", id: UPLOAD, offset: at, data: chunk });
  }
}

/** Names an upload that has only been opened, and sends nearly all of it. */
async function sendNearly(main: Peer<"client">): Promise<void> {
  main.link.send({ t: "open", id: UPLOAD, bytes: data.length });
  main.link.send({ t: "submit", seq: 0, service: "upper", ...empty, streams: [[0, UPLOAD]] });
  const { have } = await main.next("grant");
  send(main, have, NEARLY);
}

function sendRest(main: Peer<"client">): void {
  send(main, NEARLY, data.length);
  main.link.send({ t: "end", id: UPLOAD, bytes: data.length });
}

function ask({ link }: Peer<"node">, id: string, { tasks, attempts }: MessageOf<"run">): void {
  const of = { task: tasks[0]!, attempt: attempts[0]!, index: 0 };
  link.send({ t: "fetch", id, offset: 0, upTo: WINDOW_BYTES, of });
}

/** Reads until so much is there. */
async function read({ next }: Peer<"node">, bytes: number, from = 0): Promise<void> {
  for (let at = from; at < bytes;) {
    const chunk = await next("chunk");
    expect(chunk.offset).toBe(at);
    expect(Buffer.compare(chunk.data, data.subarray(at, at + chunk.data.length))).toBe(0);
    at += chunk.data.length;
  }
}

function answer({ link }: Peer<"node">, { tasks, attempts }: MessageOf<"run">): void {
  link.send({ t: "solved", tasks, attempts, ms: Float32Array.of(1), ...empty });
}

describe.each([true, false])("jobs whose payload is still coming; stored: %s", (stores) => {
  it("are read meanwhile, and acknowledged, answered and shown when all is there", async () => {
    const url = await start(stores);
    const main = await peer(url, "client", "main");
    const node = await peer(url, "node", "node");
    await sendNearly(main);
    const run = await node.next("run");
    expect(run.streams).toEqual([[0, data.length]]);
    ask(node, idOf(2), run);
    await read(node, NEARLY);
    // One that has seen enough answers before the end. The probe shows that the hub has dealt with that.
    answer(node, run);
    node.link.send({ t: "fetch", id: idOf(3), offset: 0, upTo: 1, of: { task: 1, attempt: 1, index: 0 } });
    await node.next("broken");
    expect(main.heard.map(({ t }) => t)).not.toContain("accepted");
    expect(node.heard.map(({ t }) => t)).not.toContain("stored");
    sendRest(main);
    await read(node, data.length, NEARLY);
    expect(await node.next("end")).toMatchObject({ bytes: data.length });
    await main.next("kept");
    await main.next("accepted");
    await node.next("stored");
    expect(await main.next("solutions")).toMatchObject({ seqs: Float64Array.of(0) });
  });

  it("whose node answers and gives them back nevertheless cost that node a word, and nobody else anything", async () => {
    const url = await start(stores);
    const main = await peer(url, "client", "main");
    const node = await peer(url, "node", "node");
    await sendNearly(main);
    const run = await node.next("run");
    for (let i = 0; i < 3; i++) answer(node, run);
    node.link.send({ t: "credit", window: 0 });
    node.link.send({ t: "dropped", tasks: run.tasks, attempts: run.attempts });
    const other = await peer(url, "node", "other");
    const again = await other.next("run");
    sendRest(main);
    await main.next("accepted");
    expect((await node.next("notice")).message).toMatch(/which it was not given/);
    answer(other, again);
    await main.next("solutions");
    expect(node.heard.map(({ t }) => t)).not.toContain("notice");
  });

  it("go to another node, from their beginning, when theirs dies", async () => {
    const url = await start(stores);
    const main = await peer(url, "client", "main");
    const first = await peer(url, "node", "first");
    await sendNearly(main);
    ask(first, idOf(2), await first.next("run"));
    await first.next("chunk");
    await first.die();
    const second = await peer(url, "node", "second");
    const run = await second.next("run");
    ask(second, idOf(3), run);
    await read(second, NEARLY);
    sendRest(main);
    await read(second, data.length, NEARLY);
    await second.next("end");
    answer(second, run);
    await main.next("solutions");
  });

  it("are taken back when their client dies, and begin again when it is back", async () => {
    const url = await start(stores);
    const main = await peer(url, "client", "main");
    const node = await peer(url, "node", "node");
    await sendNearly(main);
    const run = await node.next("run");
    ask(node, idOf(2), run);
    await read(node, NEARLY);
    await main.die();
    // In this order: what the service says of the broken stream is no failure then.
    expect(await node.next("stop")).toMatchObject({ tasks: run.tasks });
    expect(await node.next("broken")).toMatchObject({ id: idOf(2), code: "cancelled" });
    node.link.send({ t: "dropped", tasks: run.tasks, attempts: run.attempts });
    // Its slot is free for others.
    const other = await peer(url, "client", "other");
    other.link.send({ t: "submit", seq: 0, service: "upper", ...empty });
    answer(node, await node.next("run"));
    await other.next("solutions");
    const back = await peer(url, "client", "main");
    await sendNearly(back);
    sendRest(back);
    const again = await node.next("run");
    expect(again.attempts).toEqual(Uint16Array.of(1));
    ask(node, idOf(3), again);
    await read(node, data.length);
    answer(node, again);
    await back.next("accepted");
    await back.next("solutions");
  });

  it.each([
    { t: "broken", id: UPLOAD, code: "cancelled", message: "not wanted" },
    { t: "end", id: UPLOAD, bytes: NEARLY },
  ] as const)(
    "are over when their client gives the upload up, or sends less than it said: %j",
    async (end) => {
      const url = await start(stores);
      const main = await peer(url, "client", "main");
      const node = await peer(url, "node", "node");
      await sendNearly(main);
      const run = await node.next("run");
      ask(node, idOf(2), run);
      await read(node, NEARLY);
      main.link.send(end);
      expect(await node.next("stop")).toMatchObject({ tasks: run.tasks });
      await node.next("broken");
      node.link.send({ t: "dropped", tasks: run.tasks, attempts: run.attempts });
      if (end.t === "end")
        expect(await main.next("broken")).toMatchObject({ id: UPLOAD, code: "bad_message" });
      main.link.send({ t: "submit", seq: 0, service: "upper", ...empty });
      answer(node, await node.next("run"));
      await main.next("solutions");
      expect(main.heard.map(({ t }) => t)).not.toContain("unsolved");
    },
  );

  it("can be cancelled", async () => {
    const url = await start(stores);
    const main = await peer(url, "client", "main");
    const node = await peer(url, "node", "node");
    await sendNearly(main);
    const run = await node.next("run");
    main.link.send({ t: "cancel", runs: Float64Array.of(0, 1) });
    expect(await node.next("stop")).toMatchObject({ tasks: run.tasks });
    node.link.send({ t: "dropped", tasks: run.tasks, attempts: run.attempts });
    sendRest(main);
    await main.next("accepted");
    expect(await main.next("unsolved")).toMatchObject({ seq: 0, code: "cancelled" });
  });
});
