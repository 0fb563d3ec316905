// What is said of a link, by a clock and a link of the test's own: known latency and bandwidth come out, in bounded time.
import { describe, expect, it } from "vitest";
import { linkFigures, measureLink, probeLink, Probes } from "./link-probe.js";

/** A link of this latency (ms there and back) and these bytes a second, on a clock that only it moves. */
function link(latency: number, up: number, down: number) {
  let now = 0;
  return {
    now: () => now,
    probe: (data: Uint8Array, reply: number) => {
      now += latency + (data.length / up + reply / down) * 1000;
      return Promise.resolve();
    },
  };
}

describe("a link", () => {
  it.each([
    ["of the same machine", 0.2, 1e9, 1e9],
    ["of a house", 3, 5e6, 20e6],
    ["of a telephone", 80, 1e6, 4e6],
  ])("%s is measured as it is, in a second or two", async (_name, latency, up, down) => {
    const { probe, now } = link(latency, up, down);
    const figures = await probeLink(probe, now);
    expect(figures.linkMs).toBeCloseTo(latency, 5);
    expect(figures.up / up).toBeCloseTo(1, 1);
    expect(figures.down / down).toBeCloseTo(1, 1);
    expect(now()).toBeLessThan(1000);
  });

  it("that breaks while it is measured has no figures", async () => {
    const probes = new Probes(() => true);
    const measured = measureLink(probes.probe);
    probes.down();
    expect(await measured).toBeUndefined();
    expect(await measureLink(new Probes(() => false).probe)).toBeUndefined();
  });

  it("is known from a note only where that is whole", () => {
    expect(linkFigures({ linkMs: 1, up: 2, down: 3, other: 4 })).toEqual({ linkMs: 1, up: 2, down: 3 });
    for (const note of [undefined, null, "x", { linkMs: 1, up: 2 }, { linkMs: 1, up: 0, down: 3 }])
      expect(linkFigures(note)).toBeUndefined();
  });
});
