// The participate page's pure parts: sentences, sleep, the shares of tabs, builds.
import { describe, expect, it } from "vitest";
import { assetsOf } from "./build.js";
import { sentenceOf, told, type Happening, type Told } from "./happenings.js";
import { Sleep } from "./sleep.js";
import { Tabs, type TabWord } from "./tabs.js";

const HAPPENINGS: readonly Happening[] = [
  { what: "away", ms: 20_300 },
  { what: "asleep", ms: 61_000 },
  { what: "hidden", ms: 60_000, answered: 1, held: false },
  { what: "hidden", ms: 60_000, answered: 0, held: true },
  { what: "reloaded" },
  { what: "upgraded" },
  { what: "outdated" },
  { what: "tabs", tabs: 1, slots: 2 },
  { what: "tabs", tabs: 2, slots: 1 },
  { what: "task", code: "out_of_memory", message: "the model needs 4.00 GiB at once" },
  { what: "task", code: "engine_crashed", message: "it trapped" },
  { what: "task", code: "program_error", message: "no kernel" },
];

describe("what has happened", () => {
  it.each(HAPPENINGS.map((happening) => [happening]))("is one sentence: %j", (happening) => {
    expect(sentenceOf(happening)).toMatch(/^[A-Z0-9][^.!?]*(\d\.\d[^.!?]*)*\.$/);
  });

  it("is told newest first, the same only once, and not for ever", () => {
    let all: readonly Told[] = [];
    HAPPENINGS.forEach((happening, at) => (all = told(all, happening, at)));
    expect([all.length, all[0]!.at]).toEqual([6, 11]);
    const again = told(all, HAPPENINGS.at(-1)!, 99);
    expect([again.length, again[0]!.at, again[1]!.at]).toEqual([6, 99, 10]);
    const long = told([], { what: "task", code: "x", message: "m".repeat(1000) }, 0);
    expect(long[0]!.text.length).toBe(300);
  });
});

it("a thread that stood still knows for how long, and whether its link broke by it", () => {
  const sleep = new Sleep(0);
  for (let now = 1000; now < 60_000; now += 1000) expect(sleep.look(now)).toBe(false);
  expect(sleep.before(60_000)).toBe(0);
  expect(sleep.look(90_000)).toBe(true);
  expect(sleep.before(91_000)).toBe(30_000);
  for (let now = 92_000; now < 110_000; now += 1000) sleep.look(now);
  expect(sleep.before(110_000)).toBe(0);
  // The link may tell before the clock was looked at.
  expect(sleep.before(115_000)).toBe(5000);
});

describe("tabs of a browser", () => {
  function browser() {
    const tabs = new Map<string, Tabs>();
    const clock = { now: 0 };
    const words: TabWord[] = [];
    const deliver = () => {
      for (let word = words.shift(); word !== undefined; word = words.shift())
        for (const [id, tab] of tabs) if (id !== word.id) tab.hear(word, clock.now);
    };
    const open = (id: string) => {
      const tab = new Tabs(id, (word) => words.push(word));
      tabs.set(id, tab);
      deliver();
      return tab;
    };
    const tick = (...asleep: string[]) => {
      clock.now += 1000;
      for (const [id, tab] of tabs) if (!asleep.includes(id)) tab.tick(clock.now, false);
      deliver();
    };
    return { tabs, clock, open, tick, deliver };
  }
  const shares = (tabs: Map<string, Tabs>, slots: number) =>
    [...tabs.values()].map((tab) => tab.share(slots));

  it("share what the device may use, and each has a part", () => {
    const { tabs, open } = browser();
    open("b");
    expect(shares(tabs, 8)).toEqual([8]);
    open("a");
    expect(shares(tabs, 8)).toEqual([4, 4]);
    open("c");
    expect(shares(tabs, 8).sort()).toEqual([2, 3, 3]);
    expect(shares(tabs, 1)).toEqual([1, 1, 1]);
  });

  it("take over from one that leaves, is closed or sleeps, and give back when it wakes", () => {
    const { tabs, clock, open, tick, deliver } = browser();
    const a = open("a");
    const b = open("b");
    const c = open("c");
    c.leave();
    tabs.delete("c");
    deliver();
    expect(a.share(4)).toBe(2);
    for (let i = 0; i < 6; i++) tick("b");
    expect([a.count, a.share(4)]).toEqual([1, 4]);
    b.tick(clock.now, true);
    deliver();
    expect([a.share(4), b.share(4), b.count]).toEqual([2, 2, 2]);
  });
});

it("a build is known by the assets that its page names", () => {
  const page = (script: string) =>
    `<script type="module" crossorigin src="/assets/${script}"></script><link rel="icon" href="/icon.svg">
     <link rel="stylesheet" href="/assets/design-1.css"><link rel="stylesheet" href="/assets/design-1.css">`;
  expect(assetsOf(page("index-1.js"))).toBe("/assets/design-1.css /assets/index-1.js");
  expect(assetsOf(page("index-2.js"))).not.toBe(assetsOf(page("index-1.js")));
  expect(assetsOf("<p>The pages of this hub are not built</p>")).toBe("");
});
