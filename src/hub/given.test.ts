// Whose answer counts: only that of a node which was given the task, or of one that an earlier hub may have given it to.
import { expect, it } from "vitest";
import { Given } from "./given.js";

it("knows what a node was given until it has answered, and believes what lies before this hub's life", () => {
  const given = new Given(1000);
  given.add(1000);
  given.add(1001);
  expect([1000, 1001, 1002].map((task) => given.has(task))).toEqual([true, true, false]);
  expect(given.size).toBe(2);
  given.delete(1000);
  expect([given.has(1000), given.size]).toEqual([false, 1]);
  given.delete(7);
  expect([given.has(7), given.has(999)]).toEqual([true, true]);
});
