// Recordings as a hub writes them: of real jobs, without their payloads, rotated, each file of use alone.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ComputingNode, MainNode, startHub } from "../flock/index.node.js";
import { Recorder } from "../hub/recorder.js";
import type { Domain, NodeId, SessionId, TaskId } from "../ids/index.js";
import { Scheduler, type SchedulerEvent } from "../scheduler/index.js";
import { replay } from "../sim/index.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flockwork-record-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const linesOf = (file: string) => readFileSync(file, "utf8").split("\n");

describe("a hub's recording", () => {
  it("holds what happened to real jobs, and nothing of what was in them", async () => {
    const file = join(folder, "run.jsonl");
    const hub = await startHub({ port: 0, record: file, log: { level: "silent" } });
    const node = await ComputingNode.join({
      hub: hub.url,
      name: "worker",
      services: {
        upper: (job) => job.text().toUpperCase(),
        fail: () => Promise.reject(new Error("the password is swordfish")),
      },
    });
    const main = await MainNode.join({ hub: hub.url, name: "main" });
    expect((await main.request("upper", "swordfish")).text()).toBe("SWORDFISH");
    await expect(main.request("fail", "swordfish", { attempts: 1 })).rejects.toThrow();
    await main.close();
    await node.close();
    await hub.close();
    const text = readFileSync(file, "utf8");
    expect(text.toLowerCase()).not.toContain("swordfish");
    const again = await replay(text.split("\n"), file);
    expect(again).toMatchObject({ differsBy: null, cut: false, compared: 1 });
    expect(again.events).toBeGreaterThanOrEqual(5);
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it("is rotated, stays within its bounds, and each file can be played alone", async () => {
    const file = join(folder, "long.jsonl");
    const scheduler = new Scheduler<null>();
    const recorder = new Recorder(file, scheduler, pino({ level: "silent" }), 40_000);
    const tell = (event: SchedulerEvent<null>, now: number) => {
      recorder.event(event, now);
      scheduler.handle(event, now);
      recorder.decided();
    };
    const domain = "166" as Domain;
    const node = "n" as NodeId;
    tell({ type: "NodeJoined", node, domain, slots: 1, window: 1, services: ["s"] }, 0);
    for (let t = 1; t <= 1000; t++) {
      const limits = {
        maxAttempts: 1,
        attemptTimeoutMs: 0,
        deadlineAt: Infinity,
        idempotent: false,
        keep: "hub" as const,
      };
      const batch = {
        first: t as TaskId,
        tags: [null],
        domain,
        session: "c" as SessionId,
        service: "s",
        priority: 0,
        ...limits,
      };
      tell({ type: "TasksSubmitted", batch }, t);
      if (t > 3) tell({ type: "AttemptsDone", node, tasks: [t - 3], attempts: [1] }, t);
    }
    recorder.close();
    expect(existsSync(`${file}.1`)).toBe(true);
    for (const part of [file, `${file}.1`]) {
      expect(statSync(part).size).toBeLessThan(40_000);
      const played = await replay(linesOf(part), part);
      expect(played).toMatchObject({ differsBy: null, cut: false });
      if (part === file) expect(played.digest).toBe(scheduler.digest());
    }
  });

  it("that cannot be written is refused at the start", async () => {
    const file = join(folder, "nowhere", "run.jsonl");
    await expect(startHub({ port: 0, record: file, log: { level: "silent" } })).rejects.toThrow(
      /can not be written/,
    );
  });
});
