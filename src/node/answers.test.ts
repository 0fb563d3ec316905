// Answers until they are confirmed, and the credit that follows from how long tasks take.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Answers } from "./answers.js";
import { Credit } from "./credit.js";

const payload = { kind: 0, bytes: Uint8Array.of(1) };
const pairs = (answers: Answers) => [...answers.unconfirmed()].map((pair) => pair.join("."));

describe("answers", () => {
  it("stay until the message they went in is confirmed", () => {
    const answers = new Answers();
    answers.solved(1, 1, 5, payload);
    answers.solved(2, 1, 5, payload);
    answers.single({ t: "failed", task: 3, attempt: 2, code: "x", message: "", retry: true });
    expect(pairs(answers)).toEqual(["3.2", "1.1", "2.1"]);
    expect([...answers.takeFresh()].map(({ tasks }) => [...tasks])).toEqual([[1, 2]]);
    expect(answers.hasFresh).toBe(false);
    // Another attempt of these tasks is another answer.
    answers.confirmed({ tasks: Float64Array.of(1, 2), attempts: Uint16Array.of(2, 1) });
    answers.confirmed({ tasks: Float64Array.of(3), attempts: Uint16Array.of(1) });
    expect(answers.size).toBe(3);
    // All that is left goes out again after a break.
    expect([...answers.all()].map(({ t }) => t)).toEqual(["failed", "solved"]);
    answers.confirmed({ tasks: Float64Array.of(1, 2), attempts: Uint16Array.of(1, 1) });
    answers.confirmed({ tasks: Float64Array.of(3), attempts: Uint16Array.of(2) });
    expect([answers.size, pairs(answers)]).toEqual([0, []]);
  });

  it("that were never sent go out after a break too", () => {
    const answers = new Answers();
    answers.solved(1, 1, 5, payload);
    answers.solved(1, 2, 5, payload);
    expect([...answers.all()].map((message) => message.t === "solved" && [...message.attempts])).toEqual([
      [1, 2],
    ]);
    expect(answers.hasFresh).toBe(false);
  });

  it("travel in messages of bounded size, none lost", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 * 1024 * 1024 }), { maxLength: 12 }), (sizes) => {
        const answers = new Answers();
        sizes.forEach((size, task) => answers.solved(task, 1, 0, { kind: 0, bytes: new Uint8Array(size) }));
        const messages = [...answers.takeFresh()];
        expect(messages.flatMap(({ tasks }) => [...tasks])).toEqual(sizes.map((_, task) => task));
        for (const { tasks, data } of messages)
          if (tasks.length > 1) expect(data.length).toBeLessThan(5.1 * 1024 * 1024);
      }),
      { numRuns: 20 },
    );
    const many = new Answers();
    for (let task = 0; task < 10_000; task++) many.solved(task, 1, 0, payload);
    expect([...many.takeFresh()].map(({ tasks }) => tasks.length)).toEqual([4096, 4096, 1808]);
  });
});

describe("credit", () => {
  it("is the slots until tasks are known to be short, and never less", () => {
    const credit = new Credit(2);
    expect(credit.window).toBe(2);
    credit.measured(1, 1000);
    expect([credit.window, credit.news()]).toEqual([2, undefined]);
    for (let i = 0; i < 100; i++) credit.measured(10, 0.01);
    expect(credit.news()).toBe(2002);
    expect(credit.news()).toBeUndefined();
    for (let i = 0; i < 100; i++) credit.measured(1, 0);
    expect(credit.news()).toBe(4096);
    for (let i = 0; i < 100; i++) credit.measured(1, 500);
    expect(credit.news()).toBe(2);
  });

  it("is more than the slots from the start where inputs must come", () => {
    const credit = new Credit(2, 2);
    credit.measured(1, 1000);
    expect(credit.window).toBe(4);
    for (let i = 0; i < 100; i++) credit.measured(10, 0.01);
    expect(credit.window).toBe(2002);
  });
});
