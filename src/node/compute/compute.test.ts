// A computing node that computes programs, over a real connection and with the real engine: what comes, what is answered.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inProcessSlots, sumAndTwiceProgram, sumProgram } from "../../engine/slots.testing.js";
import { decodeTensor, encodeTensor, toTensor } from "../../tensor/index.js";
import { sha256Hex, unpackPayloads, type MessageOf } from "../../wire/index.js";
import { dial } from "../../wire/socket.node.js";
import { ComputingNode } from "../computing-node.js";
import type { ComputingNodeOptions } from "../node-options.js";
import { noModules } from "../runner.js";
import { folderSpill } from "../values/spill.node.js";
import { computeOf, TestHub } from "./hub.testing.js";

const LARGE = 100_000;
const name = (n: number) => n.toString(16).padStart(64, "0");
const floats = (n: number, value: number) =>
  encodeTensor(toTensor(new Float32Array(n).fill(value), { dtype: "float32", shape: [n] }));
const small = (message: MessageOf<"computed">) =>
  unpackPayloads(message).map(({ bytes }) => [...decodeTensor(bytes).data]);

let hub: TestHub;
let node: ComputingNode | undefined;
let engine: Awaited<ReturnType<typeof inProcessSlots>>;

beforeEach(async () => {
  hub = await TestHub.start();
  engine = await inProcessSlots();
});
afterEach(async () => {
  await node?.abort();
  node = undefined;
  await hub.stop();
});

async function join(options: Partial<ComputingNodeOptions> = {}): Promise<ComputingNode> {
  node = await ComputingNode.start(
    { hub: hub.url, ...options },
    { dial, software: "test", modules: noModules, engine: () => Promise.resolve(engine), spill: folderSpill },
  );
  return node;
}

describe("a node that computes programs", () => {
  it("says what its engine is and, once it is known, what its link can do", async () => {
    const notes = new Map<string, unknown>();
    const runtime = {
      dial,
      software: "test",
      modules: noModules,
      engine: () => Promise.resolve(engine),
      notes: {
        read: (note: string) => Promise.resolve(notes.get(note)),
        write: (note: string, value: unknown) => Promise.resolve(void notes.set(note, value)),
      },
    };
    node = await ComputingNode.start({ hub: hub.url }, runtime);
    const first = (await hub.hears("hello")).node!;
    expect(first.engine).toMatchObject({ name: "onnxruntime-node", provider: "cpu", flops: 1e9 });
    // It takes nothing while it measures.
    expect([first.engine!.linkMs, first.window]).toEqual([undefined, 0]);
    expect((await hub.hears("credit")).window).toBeGreaterThan(0);
    await node.close();
    node = await ComputingNode.start({ hub: hub.url }, runtime);
    const second = (await hub.hears("hello", 2)).node!;
    expect(second.window).toBeGreaterThan(0);
    for (const figure of ["linkMs", "up", "down"] as const) expect(second.engine![figure]).toBeGreaterThan(0);
  });

  it("fetches program and inputs, each once, and answers with small outputs", async () => {
    const { hash, model } = sumAndTwiceProgram(3);
    hub.programs.set(hash, model);
    hub.values.set(name(1), floats(3, 5));
    await join();
    const task = { program: hash, inputs: [{ name: name(1), bytes: floats(3, 5).length }] };
    hub.say(
      computeOf([
        { ...task, task: 1, outputs: [name(2), name(3)] },
        { ...task, task: 2, outputs: [name(2), name(3)], hashed: true },
      ]),
    );
    const second = await hub.hears("computed", 2);
    const [first] = hub.of("computed");
    expect(small(first!)).toEqual([[15], [10, 10, 10]]);
    expect([first!.task, first!.attempt, [...first!.small], first!.sha256]).toEqual([
      1,
      1,
      [0, 1],
      undefined,
    ]);
    expect(second.sha256).toEqual(
      await Promise.all(unpackPayloads(second).map(({ bytes }) => sha256Hex(bytes))),
    );
    expect([...hub.fetches].sort()).toEqual([hash, name(1)].sort());
    expect(hub.of("holds").map(({ names, bytes }) => [names, [...bytes]])).toEqual([
      [[name(1)], [floats(3, 5).length]],
    ]);
  });

  it("takes small inputs that come along, keeps large outputs, and serves them until they are dropped", async () => {
    const { hash, model } = sumProgram(LARGE);
    hub.programs.set(hash, model);
    hub.values.set(name(1), floats(LARGE, 2));
    await join();
    const bytes = floats(LARGE, 2).length;
    hub.compute({
      task: 1,
      program: hash,
      inputs: [
        { name: name(1), bytes },
        { name: name(1), bytes },
      ],
      outputs: [name(2)],
    });
    const answer = await hub.hears("computed");
    expect([[...answer.bytes], [...answer.small]]).toEqual([[bytes], []]);
    expect(await sha256Hex(await hub.fetch(name(2), bytes))).toBe(await sha256Hex(floats(LARGE, 4)));
    hub.say({ t: "drop", names: [name(2)] });
    await expect(hub.fetch(name(2), bytes)).rejects.toMatchObject({ code: "value_lost" });
    const three = sumProgram(3);
    hub.programs.set(three.hash, three.model);
    hub.say(
      computeOf(
        [
          {
            task: 2,
            program: three.hash,
            inputs: [
              { name: name(8), bytes: 1 },
              { name: name(9), bytes: 1 },
            ],
            outputs: [name(10)],
          },
        ],
        [
          [name(9), floats(3, 1)],
          [name(8), floats(3, 10)],
        ],
      ),
    );
    expect(small(await hub.hears("computed", 2))).toEqual([[11, 11, 11]]);
    expect(hub.fetches).not.toContain(name(8));
  });

  it("says again what was not stored, and what it holds, after the link broke", async () => {
    const { hash, model } = sumProgram(LARGE);
    hub.programs.set(hash, model);
    hub.values.set(name(1), floats(LARGE, 1));
    hub.confirms = false;
    await join();
    const bytes = floats(LARGE, 1).length;
    const inputs = [
      { name: name(1), bytes },
      { name: name(1), bytes },
    ];
    hub.compute({ task: 7, program: hash, inputs, outputs: [name(2)] });
    await hub.hears("computed");
    hub.cut();
    const again = (await hub.hears("hello", 2)).node!;
    expect([...again.tasks]).toEqual([7]);
    expect([...again.values!.bytes]).toEqual([bytes, bytes]);
    expect([...again.values!.names].filter((byte) => byte !== 0)).toEqual([1, 2]);
    expect((await hub.hears("computed", 2)).task).toBe(7);
    hub.say({ t: "stored", tasks: Float64Array.of(7), attempts: Uint16Array.of(1) });
    hub.compute({ task: 8, program: hash, inputs, outputs: [name(3)] });
    await hub.hears("computed", 3);
    hub.cut();
    expect([...(await hub.hears("hello", 3)).node!.tasks]).toEqual([8]);
    hub.say({ t: "stored", tasks: Float64Array.of(8), attempts: Uint16Array.of(1) });
  });

  it("fails a task whose input is lost or wrong, and names the value", async () => {
    const { hash, model } = sumProgram(3);
    hub.programs.set(hash, model);
    hub.values.set(name(1), floats(3, 1));
    await join();
    const one = { name: name(1), bytes: floats(3, 1).length };
    hub.compute({ task: 1, program: hash, inputs: [one, { name: name(2), bytes: 20 }], outputs: [name(3)] });
    expect(await hub.hears("failed")).toMatchObject({
      task: 1,
      code: "value_lost",
      retry: true,
      message: expect.stringContaining(name(2)),
    });
    hub.compute({ task: 2, program: hash, inputs: [one, { ...one, sha256: name(5) }], outputs: [name(3)] });
    expect(await hub.hears("failed", 2)).toMatchObject({
      task: 2,
      code: "wrong_result",
      message: expect.stringContaining(name(1)),
    });
  });

  it("gives back what is recalled while its inputs come, and stops fetching them", async () => {
    const { hash, model } = sumProgram(3);
    hub.programs.set(hash, model);
    // More than a sender may send before the reader has read.
    hub.values.set(name(1), floats(2 ** 21, 1));
    let open!: () => void;
    hub.gate = new Promise((resolve) => (open = resolve));
    await join();
    const input = { name: name(1), bytes: floats(2 ** 21, 1).length };
    hub.compute({ task: 1, program: hash, inputs: [input], outputs: [name(3)] });
    await hub.hears("fetch", 2);
    hub.say({ t: "recall", tasks: Float64Array.of(1), attempts: Uint16Array.of(1) });
    expect([...(await hub.hears("dropped")).tasks]).toEqual([1]);
    open();
    await hub.hears("broken");
    expect(engine.ran).toEqual([]);
  });
});
