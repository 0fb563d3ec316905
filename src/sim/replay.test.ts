// Recordings: whole, from the middle, cut, and of something else.
import { describe, expect, it } from "vitest";
import { RECORD_FORMAT, Scheduler, encodeEvent } from "../scheduler/index.js";
import { Simulation, replay, scenario, write } from "./index.js";

/** Records a run from event number `from` on, as the hub does. */
function record(seed: number, from: number): { lines: string[]; digest: string } {
  const lines: string[] = [];
  let scheduler!: Scheduler<number>;
  let events = 0;
  const head = (now: number) =>
    lines.push(
      JSON.stringify({
        flockwork: "0",
        format: RECORD_FORMAT,
        now,
        image: scheduler.image(),
        digest: scheduler.digest(),
      }),
    );
  const makeBrain = (_: number, of: number) => {
    scheduler = new Scheduler<number>({}, of);
    const decide = scheduler.handle.bind(scheduler);
    scheduler.handle = (event, now) => {
      if (events++ === from) head(now);
      if (events > from) lines.push(encodeEvent(event, now));
      return decide(event, now);
    };
    return scheduler;
  };
  const chaos = scenario("chaos", { hubRestarts: 0 });
  const { digest } = new Simulation(write(chaos, seed), { makeBrain }).run();
  lines.push(JSON.stringify(["digest", events - from, digest]));
  return { lines, digest };
}

describe("a recording", () => {
  it.each([0, 40, 80])("from event %i on leads to the same digest", async (from) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { lines, digest } = record(seed, from);
      const again = await replay(lines, "f");
      expect(again).toMatchObject({ digest, compared: 1, differsBy: null, cut: false });
    }
  });

  it("holds no tags and no messages", () => {
    const { lines } = record(3, 0);
    expect(lines.join("\n")).not.toMatch(/"message":"[^"]/);
    expect(lines.some((line) => line.includes(`"tags":12`))).toBe(true);
  });

  it("that was cut is played as far as it goes", async () => {
    const { lines } = record(3, 0);
    const last = lines.at(-2)!;
    const again = await replay([...lines.slice(0, -2), last.slice(0, last.length >> 1)], "f");
    expect(again).toMatchObject({ cut: true, events: lines.length - 3 });
  });

  it("of other decisions is seen to differ", async () => {
    const { lines } = record(3, 0);
    const at = lines.findIndex((line) => line.includes("AttemptsDone"));
    const again = await replay(lines.toSpliced(at, 1), "f");
    expect(again.differsBy).toBe(lines.length - 3);
  });

  it.each([
    [["hello"], /not a recording/],
    [[], /not a recording/],
    [[`{"format":99,"flockwork":"9.9","image":{}}`], /Flockwork 9.9 in format 99/],
  ])("is refused when it is none: %j", async (lines, message) => {
    await expect(replay(lines, "f")).rejects.toThrow(message);
  });
});
