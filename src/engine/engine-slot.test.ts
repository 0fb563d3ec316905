// What a slot does when its engine answers, fills, ends or is killed, with an engine that the test plays.
import { describe, expect, it } from "vitest";
import { Tensor } from "../tensor/index.js";
import { packTensors, type FromEngine, type ToEngine } from "./dialogue.js";
import { EngineSlot } from "./engine-slot.js";
import type { EngineListener } from "./place.js";
import type { EngineFacts, ProgramSource } from "./slot.js";

const FACTS: EngineFacts = {
  name: "played",
  version: "1",
  provider: "cpu",
  threads: 1,
  cpu: "none",
  dtypes: ["float32"],
};

/** The engines that a slot started, one after the other. */
class Engines {
  readonly started: { listener: EngineListener; heard: ToEngine[]; killed: boolean; busy: boolean }[] = [];
  readonly slot: EngineSlot;

  constructor(cacheBytes = 2 ** 30) {
    this.slot = new EngineSlot((listener) => {
      const engine = { listener, heard: [] as ToEngine[], killed: false, busy: false };
      this.started.push(engine);
      return {
        send: (messages) => void engine.heard.push(...messages),
        busy: (yes) => void (engine.busy = yes),
        kill: () => {
          engine.killed = true;
          return Promise.resolve();
        },
      };
    }, cacheBytes);
  }

  get last(): (typeof this.started)[number] {
    return this.started.at(-1)!;
  }

  /** What the engine heard, in short: load0 run0. Programs are counted from the first that it heard of. */
  get heard(): string {
    const first = this.last.heard[0]?.program ?? 0;
    return this.last.heard.map((each) => `${each.t}${each.program - first}`).join(" ");
  }

  says(message: FromEngine): void {
    this.last.listener.message(message);
  }
}

function source(name: string, modelBytes = 10): ProgramSource {
  return { hash: name, model: () => Promise.resolve(new Uint8Array(modelBytes)) };
}

const number = (value: number): Tensor => new Tensor("float32", [], Float32Array.of(value));
const ran = (value: number): FromEngine => ({ t: "ran", ms: 1, ...packTensors([number(value)]) });
/** All that is ready to happen. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("a slot", () => {
  it("gives each run its answer, and asks for a model once", async () => {
    const engines = new Engines();
    const runs = ["a", "a", "b"].map((name) => engines.slot.run(source(name), [number(0)]));
    await turn();
    expect(engines.heard).toBe("load0 run0 run0 load1 run1");
    engines.says({ t: "ready", facts: FACTS });
    for (const value of [1, 2, 3]) engines.says(ran(value));
    const results = await Promise.all(runs.map(({ settled }) => settled));
    expect(results.map(({ outputs }) => outputs[0]!.data[0])).toEqual([1, 2, 3]);
    expect(engines.last.busy).toBe(false);
  });

  it("sends again what was in an engine that is killed or ends, and only fails what ran", async () => {
    const engines = new Engines();
    const [first, second, third, fourth] = ["a", "a", "b", "a"].map((name) =>
      engines.slot.run(source(name), [number(0)]),
    );
    await turn();
    engines.says({ t: "ready", facts: FACTS });
    // Its turn has not come: it is left out the next time.
    third!.kill();
    engines.last.listener.ended({ code: "engine_crashed", message: "by SIGSEGV" });
    await expect(first!.settled).rejects.toMatchObject({ code: "engine_crashed", retry: true });
    await turn();
    expect(engines.started).toHaveLength(2);
    expect(engines.heard).toBe("load0 run0 run0");
    second!.kill();
    expect(engines.last.killed).toBe(true);
    await turn();
    expect(engines.heard).toBe("load0 run0");
    // What an engine that was killed had still to say is nobody's answer.
    engines.started[1]!.listener.message(ran(7));
    engines.says(ran(8));
    expect((await fourth!.settled).outputs[0]!.data[0]).toBe(8);
  });

  it("kills a run whose turn comes after it was given up", async () => {
    const engines = new Engines();
    const [first, second, third] = ["a", "a", "a"].map((name) => engines.slot.run(source(name), [number(0)]));
    await turn();
    second!.kill();
    expect(engines.last.killed).toBe(false);
    engines.says(ran(1));
    await first!.settled;
    expect(engines.started[0]!.killed).toBe(true);
    await turn();
    engines.says(ran(3));
    expect((await third!.settled).outputs[0]!.data[0]).toBe(3);
  });

  it("that retires does what it was given first", async () => {
    const engines = new Engines();
    const run = engines.slot.run(source("a"), [number(0)]);
    await turn();
    engines.says({ t: "ready", facts: FACTS });
    await engines.slot.retire();
    expect(engines.last.killed).toBe(false);
    engines.says(ran(1));
    expect((await run.settled).outputs[0]!.data[0]).toBe(1);
    expect(engines.last.killed).toBe(true);
  });

  it("lets the least recently used programs go when sessions are too many bytes", async () => {
    const engines = new Engines(1.2 * 2 ** 20);
    for (const name of ["a", "b", "a", "c", "a", "b"]) {
      const { settled } = engines.slot.run(source(name, 128 * 1024), [number(0)]);
      await turn();
      engines.says(ran(0));
      await settled;
    }
    // Two fit: c takes b's place, and b comes back for c.
    expect(engines.heard).toBe("load0 run0 load1 run1 run0 drop1 load2 run2 run0 drop2 load3 run3");
  });

  it("makes room in a full engine: by other programs' sessions, and by a new engine where there are none", async () => {
    const engines = new Engines();
    const run = async (name: string): Promise<Promise<unknown>> => {
      const { settled } = engines.slot.run(source(name), [number(0)]);
      await turn();
      return settled;
    };
    void run("a");
    await turn();
    engines.says(ran(0));
    const second = run("b");
    await turn();
    engines.says({ t: "full" });
    await turn();
    expect(engines.heard).toBe("load0 run0 load1 run1 drop0 run1");
    engines.says({ t: "full" });
    await turn();
    expect(engines.started).toHaveLength(2);
    expect(engines.heard).toBe("load0 run0");
    engines.says(ran(5));
    expect(await second).toMatchObject({ ms: 1 });
  });

  it("says why an engine does not start, to whoever waits for it", async () => {
    const engines = new Engines();
    const ready = engines.slot.ready();
    engines.says({ t: "unfit", message: "no such provider" });
    await expect(ready).rejects.toThrow("no such provider");
    const { settled } = engines.slot.run(source("a"), []);
    await turn();
    engines.last.listener.ended({ code: "engine_crashed", message: "by exit code 1" });
    await expect(settled).rejects.toMatchObject({ code: "engine_crashed", message: "by exit code 1" });
  });
  it("runs everything again in a new engine when the device is lost", async () => {
    const engines = new Engines();
    const runs = ["a", "a"].map((name) => engines.slot.run(source(name), [number(0)]));
    await turn();
    engines.says({ t: "ready", facts: FACTS });
    engines.says(ran(1));
    engines.says({ t: "lost", message: "unplugged" });
    await turn();
    expect(engines.started.map(({ killed }) => killed)).toEqual([true, false]);
    expect(engines.heard).toBe("load0 run0");
    engines.says({ t: "ready", facts: { ...FACTS, provider: "wasm" } });
    engines.says(ran(2));
    const results = await Promise.all(runs.map(({ settled }) => settled));
    expect(results.map(({ outputs }) => String(outputs[0]))).toEqual([1, 2].map((n) => String(number(n))));
    // With nothing to do it waits for work before it starts another.
    engines.says({ t: "lost", message: "unplugged" });
    expect(engines.started).toHaveLength(2);
  });
});
