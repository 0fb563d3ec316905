// The laws of the scheduler under any sequence of events: world.testing.ts throws when one is broken.
// FLOCKWORK_RUNS sets how many sequences are tried.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SessionId, TaskId } from "../ids/index.js";
import type { ValueRef } from "./events.js";
import { DOMAINS, SERVICES, World } from "./world.testing.js";

const RUNS = Number(process.env.FLOCKWORK_RUNS ?? 300);

/** One thing that happens, with three numbers that say to whom and how. */
type Step = readonly [kind: keyof typeof STEPS, a: number, b: number, c: number];

const at = <T>(list: readonly T[], n: number): T | undefined => list[n % list.length];

/** What can happen, and how often. */
const STEPS = {
  submit: [6, (w, a, b, c) => w.submit(1 + (a % 6), options(w, b, c))],
  submitMany: [1, (w, a, b, c) => w.submit(20 + (a % 40), options(w, b, c))],
  join: [4, (w, a, b, c) => w.join(at(DOMAINS, a >> 2)!, 1 + (b % 3), b % 7, SERVICES.slice(0, 1 + (c % 2)))],
  finish: [12, (w, a, b) => each(w, a, (n) => w.finish(n, 1 + (b % 3)))],
  fail: [4, (w, a, b) => each(w, a, (n) => w.fail(n, b % 6 > 0))],
  obey: [6, (w, a) => each(w, a, (n) => w.obey(n))],
  cut: [2, (w, a, b) => each(w, a, (n) => w.cut(n, b % 3))],
  resume: [3, (w, a, b) => each(w, a, (n) => w.resume(n, b % 2 === 0))],
  leave: [1, (w, a) => each(w, a, (n) => w.leave(n))],
  drain: [1, (w, a) => each(w, a, (n) => w.drain(n))],
  window: [1, (w, a, b) => each(w, a, (n) => w.setWindow(n, b % 9))],
  slots: [1, (w, a, b) => each(w, a, (n) => w.setSlots(n, 1 + (b % 4)))],
  cancel: [2, (w, a) => w.cancel((1 + (a % (w.tasks.size + 1))) as TaskId)],
  pause: [1, (w, a) => w.pause(a % 3 === 0)],
  release: [2, (w, a, b) => w.release(valueOf(w, a, b))],
  copy: [2, (w, a, b, c) => each(w, a, (n) => copySome(w, n, b, c))],
  loseValue: [1, (w, a, b) => each(w, a, (n) => n.values.size > 0 && w.loseValue(n, at([...n.values], b)!))],
  wait: [5, (w, a, b) => w.wait(a % 10 === 0 ? 11_000 : b % 200)],
} satisfies Record<string, [number, (w: World, a: number, b: number, c: number) => void]>;

type VirtualNode = World["nodes"][number];

function each(world: World, n: number, then: (node: VirtualNode) => void): void {
  const node = world.nodes.length > 0 ? at(world.nodes, n) : undefined;
  if (node !== undefined) then(node);
}

function valueOf(world: World, a: number, b: number): ValueRef {
  return { task: (1 + (a % (world.tasks.size + 1))) as TaskId, output: b % 2 };
}

function copySome(world: World, from: VirtualNode, b: number, c: number): void {
  if (from.values.size === 0) return;
  world.copy(from, c % 4 === 0 ? "hub" : at(world.nodes, c)!, at([...from.values], b)!);
}

function options(world: World, b: number, c: number): Parameters<World["submit"]>[1] {
  const domain = at(DOMAINS, b >> 2)!;
  // Whoever releases a value asks for it no more.
  const known = [...world.tasks.values()]
    .filter((t) => t.batch.domain === domain && t.over !== "failed")
    .flatMap(({ id }) => [0, 1].map((output) => ({ task: id, output })))
    .filter((value) => !world.releasedValues.has(`${value.task}.${value.output}`));
  const inputs = c % 3 === 0 && known.length > 0 ? [[at(known, b)!, at(known, c)!]] : [];
  return {
    domain,
    service: at(SERVICES, b)!,
    session: `s${c % 3}` as SessionId,
    priority: (b >> 3) % 3,
    attemptTimeoutMs: (b >> 4) % 3 === 0 ? 100 : 0,
    deadlineAt: (c >> 2) % 5 === 0 ? world.now + 300 : Infinity,
    idempotent: (c >> 3) % 2 === 0,
    keep: (c >> 4) % 2 === 0 ? "node" : "hub",
    inputs,
  };
}

const number = fc.nat(1023);
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(
    ...(Object.keys(STEPS) as (keyof typeof STEPS)[]).map((kind) => ({
      weight: STEPS[kind][0],
      arbitrary: fc.constant(kind),
    })),
  ),
  ...([number, number, number] as const),
);

function play(steps: readonly Step[], seed: number): World {
  const world = new World(seed);
  for (const [kind, a, b, c] of steps) STEPS[kind][1](world, a, b, c);
  return world;
}

describe("any sequence of events", () => {
  it("loses no task, solves none twice, crosses no domain, keeps to windows, and always makes progress", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), fc.nat(), (steps, seed) => {
        play(steps, seed).finishAll();
      }),
      { numRuns: RUNS },
    );
  });

  it("gives the same digest for the same events and seed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), fc.nat(), (steps, seed) => {
        expect(play(steps, seed).scheduler.digest()).toBe(play(steps, seed).scheduler.digest());
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  });
});
