// Tasks of one lane never lie over each other while there are lanes enough.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Lanes, MOST_LANES } from "./lanes.js";

/** Tasks in the order in which they ended, as [start, end]. */
const tasks = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 3, max: 60 })), { maxLength: 40 })
  .map((all) => all.map(([end, ms]): [number, number] => [end - ms, end]).sort((a, b) => a[1] - b[1]));

describe("lanes", () => {
  it("keep apart what ran at the same time", () => {
    fc.assert(
      fc.property(tasks, (all) => {
        const lanes = new Lanes();
        const last = new Map<number, number>();
        for (const [start, end] of all) {
          const lane = lanes.add(7, start, end, Infinity);
          // Beyond the most there can be they must share.
          if (lanes.of(7) < MOST_LANES) expect(last.get(lane) ?? -Infinity).toBeLessThanOrEqual(start + 2);
          last.set(lane, end);
        }
        expect(lanes.of(7)).toBeLessThanOrEqual(MOST_LANES);
        expect(lanes.of(8)).toBe(1);
      }),
    );
  });

  it("are one where nothing overlaps, and no more than a node has slots", () => {
    const lanes = new Lanes();
    expect([0, 10, 20, 30].map((start) => lanes.add(1, start, start + 10, 4))).toEqual([0, 0, 0, 0]);
    expect([40, 41, 42].map((start) => lanes.add(2, start, 60, 2))).toEqual([0, 1, 0]);
    expect(lanes.of(2)).toBe(2);
  });

  it("show what runs in those that are free", () => {
    const lanes = new Lanes();
    lanes.add(1, 0, 50, 3);
    expect(lanes.running(1, [20, 60, 61], 3)).toEqual([1, 0, 2]);
    // Looking changes nothing.
    expect(lanes.add(1, 60, 70, 3)).toBe(0);
  });
});
