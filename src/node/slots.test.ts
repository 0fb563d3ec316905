// The slots of a node: what runs when, what is given back, what nobody hears any more.
import { describe, expect, it } from "vitest";
import { FlockworkError, makeNodeId } from "../ids/index.js";
import type { Payload } from "../wire/index.js";
import { noModules, type ModuleRunner } from "./runner.js";
import { installServices, ServiceError, type ServiceFunction } from "./service.js";
import type { Attempt } from "./attempt.js";
import { Slots } from "./slots.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A service whose runs end when the test says so. */
function held() {
  const runs = new Map<
    string,
    { solve(value: unknown): void; fail(error: unknown): void; signal: AbortSignal }
  >();
  const service: ServiceFunction = (job, { signal }) =>
    new Promise((solve, fail) => runs.set(job.text(), { solve, fail, signal }));
  return { runs, service };
}

/** A runner of workers that end when the test says so, or are killed. */
function workers() {
  const running = new Map<string, (payload: Payload) => void>();
  const killed: string[] = [];
  const runner: ModuleRunner = {
    run: (_service, job) => ({
      settled: new Promise((solve) => running.set(job.text(), solve)),
      kill: () => killed.push(job.text()),
    }),
    close: () => Promise.resolve(),
  };
  return { running, killed, runner };
}

function slotsOf(count: number, services: Parameters<typeof installServices>[0], modules = noModules()) {
  const told: string[] = [];
  const text = ({ task, attempt }: Attempt) => `${task}.${attempt}`;
  const slots = new Slots(count, installServices(services), modules, {
    solved: (attempt, _ms, { bytes }) =>
      told.push(`solved ${text(attempt)} ${new TextDecoder().decode(bytes)}`),
    computed: (attempt) => told.push(`computed ${text(attempt)}`),
    failed: (attempt, { code, retry }) =>
      told.push(`failed ${text(attempt)} ${code}${retry ? "" : " for good"}`),
    dropped: (attempt) => told.push(`dropped ${text(attempt)}`),
    upload: () => {
      throw new Error("there is no hub here");
    },
    cancel: () => undefined,
    beforeStart: () => undefined,
  });
  slots.begin();
  const add = (...tasks: (number | [task: number, attempt: number])[]) =>
    slots.add(
      tasks.map((entry) => {
        const [task, attempt] = typeof entry === "number" ? [entry, 1] : entry;
        const bytes = new TextEncoder().encode(`${task}.${attempt}`);
        return {
          task,
          attempt,
          service: "s",
          client,
          seq: task,
          timeoutMs,
          payload: { kind: 1, bytes },
          inputs: [],
        };
      }),
    );
  let timeoutMs = 0;
  const client = makeNodeId("main", Uint8Array.of(1, 2, 3, 4));
  return { slots, told, add, limit: (ms: number) => (timeoutMs = ms) };
}

describe("slots", () => {
  it("run as many at once as there are, in order", async () => {
    const { runs, service } = held();
    const { add, told, slots } = slotsOf(2, { s: service });
    add(1, 2, 3);
    while (runs.size < 2) await turn();
    expect([...runs.keys()]).toEqual(["1.1", "2.1"]);
    runs.get("2.1")!.solve("two");
    await turn();
    expect([...runs.keys()]).toEqual(["1.1", "2.1", "3.1"]);
    expect(told).toEqual(["solved 2.1 two"]);
    expect(slots.size).toBe(2);
  });

  it("can be more, or fewer when enough has ended", async () => {
    const { runs, service } = held();
    const { slots, add, told } = slotsOf(1, { s: service });
    add(1, 2, 3, 4);
    slots.resize(3);
    expect([...runs.keys()]).toEqual(["1.1", "2.1", "3.1"]);
    slots.resize(1);
    runs.get("1.1")!.solve("x");
    runs.get("2.1")!.solve("x");
    await turn();
    expect(runs.size).toBe(3);
    runs.get("3.1")!.solve("x");
    await turn();
    expect([told.length, runs.has("4.1")]).toEqual([3, true]);
  });

  it("tell what a service threw, and what it returned that can not travel, for good", async () => {
    const results: (() => unknown)[] = [
      () => "fine",
      () => {
        throw new Error("no");
      },
      () => Promise.reject(new ServiceError("out", { code: "out_of_stock", retry: false })),
      () => 10n,
      async () => () => 1,
      () => {
        throw "text";
      },
    ];
    const { add, told } = slotsOf(1, { s: (job) => results[Number(job.text().split(".")[0])]!() });
    add(0, 1, 2, 3, 4, 5);
    while (told.length < 6) await turn();
    expect(told).toEqual([
      "solved 0.1 fine",
      "failed 1.1 service_error",
      "failed 2.1 out_of_stock for good",
      "failed 3.1 bad_argument for good",
      "failed 4.1 bad_argument for good",
      "failed 5.1 service_error",
    ]);
  });

  it("fail what the node has no service for, or no workers", () => {
    const { add, told } = slotsOf(1, { other: () => 1 });
    add(1);
    const second = slotsOf(1, { s: { module: "./x.js" } });
    second.add(1);
    expect([...told, ...second.told]).toEqual(["failed 1.1 unknown_service", "failed 1.1 bad_argument"]);
  });

  it("give back what has not started, and only that", () => {
    const { runs, service } = held();
    const { add, told, slots } = slotsOf(1, { s: service });
    add(1, 2, 3);
    slots.recall(1, 1);
    slots.recall(2, 9);
    slots.recall(3, 1);
    slots.recallAll();
    expect(told).toEqual(["dropped 3.1", "dropped 2.1"]);
    expect([...runs.keys()]).toEqual(["1.1"]);
  });

  it("ask an inline run to stop, and count its slot as lost until it returns", async () => {
    const { runs, service } = held();
    const { add, told, slots } = slotsOf(1, { s: service });
    add(1, 2);
    expect(slots.stop(1, 1)).toBe(true);
    expect(runs.get("1.1")!.signal.aborted).toBe(true);
    await turn();
    expect([told, runs.size]).toEqual([[], 1]);
    runs.get("1.1")!.fail(runs.get("1.1")!.signal.reason);
    await turn();
    expect(told).toEqual(["dropped 1.1"]);
    expect([...runs.keys()]).toEqual(["1.1", "2.1"]);
    expect(slots.stop(7, 1)).toBe(false);
  });

  it("kill a worker on stop, and free its slot at once", () => {
    const { running, killed, runner } = workers();
    const { add, told, slots } = slotsOf(1, { s: { module: "./x.js" } }, runner);
    add(1, 2);
    slots.stop(1, 1);
    expect([killed, told, [...running.keys()]]).toEqual([["1.1"], ["dropped 1.1"], ["1.1", "2.1"]]);
  });

  it("kill a worker whose time is over", async () => {
    const { killed, runner } = workers();
    const { add, told, limit, slots } = slotsOf(1, { s: { module: "./x.js" } }, runner);
    limit(20);
    add(1);
    while (told.length === 0) await turn();
    expect([killed, told, slots.size]).toEqual([["1.1"], ["failed 1.1 attempt_timeout"], 0]);
  });

  it("do not hear a run whose task was given anew, and keep its slot until it returns", async () => {
    const { runs, service } = held();
    const { add, told, slots } = slotsOf(1, { s: service });
    add(1);
    add([1, 2]);
    expect(runs.get("1.1")!.signal.aborted).toBe(true);
    expect([...slots.held()]).toEqual([[1, 2]]);
    runs.get("1.1")!.solve("too late");
    await turn();
    expect([told, [...runs.keys()]]).toEqual([[], ["1.1", "1.2"]]);
    runs.get("1.2")!.solve("anew");
    await turn();
    expect(told).toEqual(["solved 1.2 anew"]);
  });

  it("kill a worker whose task was given anew", async () => {
    const { running, killed, runner } = workers();
    const { add, told, limit } = slotsOf(1, { s: { module: "./x.js" } }, runner);
    limit(30);
    add(1);
    limit(0);
    add([1, 2]);
    expect(killed).toEqual(["1.1"]);
    running.get("1.1")!({ kind: 1, bytes: new Uint8Array() });
    running.get("1.2")!({ kind: 1, bytes: new TextEncoder().encode("anew") });
    await turn();
    expect(told).toEqual(["solved 1.2 anew"]);
  });

  it("let others have the thread between many small runs", async () => {
    let ran = 0;
    const spin = () => {
      const end = performance.now() + 1;
      while (performance.now() < end) ran += 0;
      return ++ran;
    };
    const { add } = slotsOf(1, { s: spin });
    let ranAtTurn = -1;
    setTimeout(() => (ranAtTurn = ran), 0);
    add(...Array.from({ length: 50 }, (_, i) => i));
    while (ran < 50) await turn();
    expect(ranAtTurn).toBeGreaterThanOrEqual(0);
    expect(ranAtTurn).toBeLessThan(50);
  });
});

describe("services", () => {
  it("are checked when they are given", () => {
    expect(() => installServices({ a: 5 as never })).toThrow(/Service "a" is a number; give a function/);
    expect(() => installServices({ a: null as never })).toThrow(/Service "a" is null/);
    expect(() => installServices({ a: { run: "x" } as never })).toThrow(FlockworkError);
    expect(() => installServices({ a: { run: null } as never })).toThrow(FlockworkError);
    expect(() => installServices({ "": () => 1 })).toThrow(/1 to 112 characters/);
    const all = installServices({
      a: () => 1,
      b: { module: "./b.js" },
      c: { run: () => 1, idempotent: true },
    });
    expect([...all.values()].map(({ name, idempotent }) => [name, idempotent])).toEqual([
      ["a", false],
      ["b", false],
      ["c", true],
    ]);
  });
});

describe("programs", () => {
  function programs() {
    const ends = new Map<number, (ms: number) => void>();
    const killed: number[] = [];
    const attempt = (task: number, program: string): Attempt => ({
      task,
      attempt: 1,
      timeoutMs: 0,
      program,
      ready: Promise.resolve(),
      run: () => ({
        settled: new Promise((solve) => ends.set(task, (ms) => solve({ ms, outputs: [] }))),
        kill: () => killed.push(task),
      }),
      leave: () => undefined,
    });
    const { slots, told } = slotsOf(1, {});
    const add = (program: string, ...tasks: number[]) =>
      slots.add(tasks.map((task) => attempt(task, program)));
    return { slots, told, ends, add };
  }

  it("hands short programs over before those before them are done, and long ones one by one", async () => {
    const { told, ends, add } = programs();
    add("short", 1, 2, 3);
    await turn();
    expect([...ends.keys()]).toEqual([1]);
    ends.get(1)!(0.1);
    await turn();
    expect([...ends.keys()]).toEqual([1, 2, 3]);
    add("long", 4);
    add("short", 5);
    await turn();
    expect([...ends.keys()]).toEqual([1, 2, 3]);
    ends.get(2)!(0.1);
    ends.get(3)!(0.1);
    await turn();
    expect([...ends.keys()]).toEqual([1, 2, 3, 4]);
    ends.get(4)!(100);
    await turn();
    expect(told).toEqual(["computed 1.1", "computed 2.1", "computed 3.1", "computed 4.1"]);
    expect([...ends.keys()]).toEqual([1, 2, 3, 4, 5]);
  });

  it("does not hand anything over beyond a program that was short and is not any more", async () => {
    const { ends, add } = programs();
    add("a", 1);
    await turn();
    ends.get(1)!(0.1);
    await turn();
    add("a", 2);
    await turn();
    ends.get(2)!(5);
    await turn();
    add("a", 3, 4);
    await turn();
    expect([...ends.keys()]).toEqual([1, 2, 3]);
  });
});
