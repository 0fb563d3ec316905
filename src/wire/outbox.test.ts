// One frame a tick, in order, split where it would grow too large.
import { describe, expect, it } from "vitest";
import { decodeFrame, MAX_MESSAGES } from "./frame.js";
import { FRAME_TARGET_BYTES, Outbox } from "./outbox.js";
import { onTickEnd } from "./tick.js";

function outbox(): { box: Outbox; frames: { n: number }[][]; sizes: number[] } {
  const frames: { n: number }[][] = [];
  const sizes: number[] = [];
  const box = new Outbox((frame, tail) => {
    frames.push(decodeFrame(frame, tail) as { n: number }[]);
    sizes.push(frame.length);
  });
  return { box, frames, sizes };
}

const tick = () => new Promise<void>((done) => onTickEnd(done));

describe("Outbox", () => {
  it("sends what one piece of code pushed as one frame, what follows in the tick as another, and nothing else", async () => {
    const { box, frames } = outbox();
    for (let n = 0; n < 3; n++) box.push({ n });
    expect(frames).toEqual([]);
    expect(box.size).toBe(3);
    // A lone message does not wait for the loop to come round; whatever comes after it in the tick does.
    await Promise.resolve();
    expect(frames).toEqual([[{ n: 0 }, { n: 1 }, { n: 2 }]]);
    box.push({ n: 3 });
    await Promise.resolve();
    box.push({ n: 4 });
    expect(frames).toHaveLength(1);
    await tick();
    expect(frames.slice(1)).toEqual([[{ n: 3 }, { n: 4 }]]);
    await tick();
    await tick();
    expect(frames).toHaveLength(2);
  });

  it("lets what nobody waits for travel with what somebody does, or goes soon without", async () => {
    const { box, frames } = outbox();
    box.pushLater({ n: 0 });
    await tick();
    expect(frames).toEqual([]);
    box.push({ n: 1 });
    await tick();
    expect(frames).toEqual([[{ n: 0 }, { n: 1 }]]);
    box.pushLater({ n: 2 });
    await expect.poll(() => frames.length, { interval: 1, timeout: 1000 }).toBe(2);
    expect(frames[1]).toEqual([{ n: 2 }]);
  });

  it("sends at once when flushed, and not again", async () => {
    const { box, frames } = outbox();
    box.push({ n: 0 });
    box.flush();
    box.flush();
    expect(frames).toEqual([[{ n: 0 }]]);
    await tick();
    expect(frames).toHaveLength(1);
  });

  it("forgets what is cleared", async () => {
    const { box, frames } = outbox();
    box.push({ n: 0 });
    box.clear();
    await tick();
    expect(frames).toEqual([]);
  });

  it("starts a new frame past the byte limit; one large message goes alone", async () => {
    const { box, frames, sizes } = outbox();
    const third = new Uint8Array(Math.floor(FRAME_TARGET_BYTES / 3) - 1000);
    const large = new Uint8Array(2 * FRAME_TARGET_BYTES);
    for (const [n, data] of [third, third, third, third, large, third].entries()) box.push({ n, data });
    await tick();
    expect(frames.map((frame) => frame.map(({ n }) => n))).toEqual([[0, 1, 2], [3], [4], [5]]);
    expect(sizes.filter((size) => size > FRAME_TARGET_BYTES)).toHaveLength(1);
  });

  it("sends a message alone after what waits, its bytes as they are", () => {
    const sent: (Uint8Array | undefined)[][] = [];
    const box = new Outbox((...parts) => sent.push(parts));
    const data = new Uint8Array(100_000).fill(7);
    box.push({ n: 0 });
    box.sendAlone({ n: 1, data });
    box.sendAlone({ n: 2 });
    const [first, second, third] = sent.map(([frame, tail]) => decodeFrame(frame!, tail));
    expect([first, second, third]).toEqual([[{ n: 0 }], [{ n: 1, data }], [{ n: 2 }]]);
    expect((second as { data: Uint8Array }[])[0]!.data.buffer).toBe(data.buffer);
  });

  it("counts bytes inside nested values and texts", async () => {
    const { box, frames } = outbox();
    const half = FRAME_TARGET_BYTES / 2;
    box.push({ n: 0, node: { tasks: new Float64Array(half / 8) } });
    box.push({ n: 1, reasons: [["x".repeat(half)]] });
    await tick();
    expect(frames.map((frame) => frame.length)).toEqual([1, 1]);
  });

  it("starts a new frame past the number of messages a receiver takes", async () => {
    const { box, frames } = outbox();
    for (let n = 0; n <= MAX_MESSAGES; n++) box.push({ n });
    await tick();
    expect(frames.every((frame) => frame.length <= MAX_MESSAGES)).toBe(true);
    expect(frames.flat().map(({ n }) => n)).toEqual(Array.from({ length: MAX_MESSAGES + 1 }, (_, n) => n));
  });
});
