// Whatever happens to jobs, and however often the journal is compacted meanwhile: a hub that replays it knows what the hub
// before it knew.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Assignment } from "../scheduler/index.js";
import type { Payload } from "../wire/index.js";
import type { Job } from "./jobs.js";
import { BLOB_BYTES, HubRig } from "./rig.testing.js";

const RUNS = Number(process.env["FLOCKWORK_RUNS"] ?? 150);
const SESSIONS = ["nightly", "daily"];

const payload = fc.record({
  kind: fc.nat({ max: 3 }),
  // Few distinct large ones, so that two jobs share a blob.
  bytes: fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    fc.nat({ max: 2 }).map((fill) => new Uint8Array(BLOB_BYTES + fill).fill(fill)),
  ),
});

const op = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("submit" as const),
      session: fc.nat({ max: 1 }),
      service: fc.constantFrom("upper", "lower"),
      payloads: fc.array(payload, { minLength: 1, maxLength: 4 }),
      inputs: fc.array(fc.nat(), { maxLength: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("solve" as const), picks: fc.array(fc.tuple(fc.nat(), payload)) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("cancel" as const),
      session: fc.nat({ max: 1 }),
      picks: fc.array(fc.nat()),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("ack" as const),
      session: fc.nat({ max: 1 }),
      picks: fc.array(fc.nat()),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("compact" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const) }) },
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

/** Plays random operations on a hub, as clients and a node could bring them. */
class Player {
  readonly #nextSeq = new Map<string, number>();

  constructor(readonly rig: HubRig) {}

  async play(step: Op): Promise<void> {
    const { rig } = this;
    switch (step.do) {
      case "submit": {
        const session = rig.session(SESSIONS[step.session]!);
        const seq = this.#nextSeq.get(session.name) ?? 0;
        this.#nextSeq.set(session.name, seq + step.payloads.length);
        const known = [...session.jobs.keys()];
        const inputs = [
          ...new Set(known.length === 0 ? [] : step.inputs.map((n) => known[n % known.length]!)),
        ];
        rig.submit(session, seq, step.payloads, {
          service: step.service,
          ...(inputs.length > 0 && { inputs }),
        });
        break;
      }
      case "solve": {
        const picked = new Map<Assignment<Job>, Payload>();
        for (const [n, payload] of step.picks) {
          const assignment = this.#running(n);
          if (assignment !== undefined && !assignment.tag.over) picked.set(assignment, payload);
        }
        if (picked.size > 0) rig.solve([...picked.keys()], [...picked.values()]);
        break;
      }
      case "fail": {
        const assignment = this.#running(step.pick);
        if (assignment !== undefined && !assignment.tag.over) rig.fail(assignment);
        break;
      }
      case "cancel":
      case "ack": {
        const session = rig.session(SESSIONS[step.session]!);
        const seqs = [...session.jobs.keys()];
        const picks = seqs.length === 0 ? [] : step.picks.map((n) => seqs[n % seqs.length]!);
        if (step.do === "ack") rig.acknowledge(session, picks);
        else rig.cancel(session, picks);
        break;
      }
      case "compact":
        void rig.parts.ledger.compact();
        break;
      case "wait":
        await new Promise((resolve) => setImmediate(resolve));
        break;
      default:
        step satisfies never;
    }
  }

  #running(n: number): Assignment<Job> | undefined {
    const { sent } = this.rig.nodes;
    return sent.length === 0 ? undefined : sent[n % sent.length];
  }
}

/** Everything a hub knows of its jobs. */
async function knowledge(rig: HubRig): Promise<Map<string, object>> {
  const jobs = new Map<string, object>();
  for (const session of rig.core.clients.sessions.values())
    for (const job of session.jobs.values()) jobs.set(`${session.name} ${job.seq}`, await factsOf(rig, job));
  return jobs;
}

async function factsOf(rig: HubRig, job: Job): Promise<object> {
  const { service, priority, attempts, deadlineAt } = job.options;
  return {
    task: job.task,
    options: { service, priority, attempts, deadlineAt },
    source: await rig.content(job, "source"),
    result: await rig.content(job, "result"),
    // What an open job will be given besides its own payload.
    inputs: job.over
      ? "not needed"
      : await Promise.all(
          job.inputs.map(async (input) => `${input.seq} ${await rig.content(input, "result")}`),
        ),
  };
}

/** Jobs the client has acknowledged that others still need; a replay takes them for not acknowledged. */
function keptForOthers(rig: HubRig): Set<string> {
  const kept = new Set<string>();
  for (const session of rig.core.clients.sessions.values())
    for (const job of session.jobs.values())
      for (const input of job.inputs) if (input.acknowledged) kept.add(`${session.name} ${input.seq}`);
  return kept;
}

function blobsOf(rig: HubRig): string[] {
  const hashes = new Set<string>();
  const visit = (job: Job) => {
    for (const [segment, index] of [
      [job.source, job.index],
      [job.result, job.resultIndex],
    ] as const) {
      const blob = segment?.blobs?.get(index);
      if (blob !== undefined) hashes.add(blob.hash);
    }
  };
  for (const session of rig.core.clients.sessions.values())
    for (const job of session.jobs.values()) {
      visit(job);
      if (!job.over) job.inputs.forEach(visit);
    }
  return [...hashes].sort();
}

describe("a hub that replays the journal", () => {
  it("knows what the one before it knew, whatever was compacted", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 80 }), async (steps) => {
        const rig = await HubRig.open();
        rig.join();
        const player = new Player(rig);
        for (const step of steps) await player.play(step);
        await rig.rest();
        const before = await knowledge(rig);
        const kept = keptForOthers(rig);
        expect(await rig.blobs()).toEqual(blobsOf(rig));
        const sizes = [...rig.core.clients.sessions.values()].map((s) => [
          s.name,
          s.jobs.size === 0 ? s.jobBytes : 0,
          s.unclaimedBytes,
        ]);
        rig.stop();

        const next = await HubRig.open(rig.backbone);
        const after = await knowledge(next);
        for (const key of kept) if (!before.has(key)) after.delete(key);
        expect(Object.fromEntries(after)).toEqual(Object.fromEntries(before));
        expect(await next.blobs()).toEqual(blobsOf(next));
        // Byte counts that drift would one day refuse jobs for nothing.
        for (const [name, bytes, unclaimed] of sizes) {
          expect(bytes).toBe(0);
          if (kept.size === 0) expect(next.session(String(name)).unclaimedBytes).toBe(unclaimed);
        }
        // Every job without a result is dispatched again, with its own options.
        next.join();
        const open = [...after].filter(([, job]) => (job as { result: string }).result === "none");
        await next.rest();
        const ready = next.nodes.sent.map((a) => a.tag.task).sort((a, b) => a - b);
        const waiting = open
          .filter(([, job]) => !(job as { inputs: string[] }).inputs.some((input) => input.endsWith("none")))
          .map(([, job]) => (job as { task: number }).task);
        expect(ready).toEqual(waiting.sort((a, b) => a - b));
        for (const { tag, service } of next.nodes.sent) expect(service).toBe(tag.options.service);
        next.stop();
      }),
      { numRuns: RUNS },
    );
  });

  it("is not held up by one old job: the journal stays small beside it", async () => {
    const rig = await HubRig.open();
    const old = rig.session("old");
    rig.submit(old, 0, [{ kind: 1, bytes: new TextEncoder().encode("waits") }], { service: "lower" });
    await rig.rest();
    rig.core.handle({
      type: "NodeJoined",
      node: "worker.00.00.00.01" as never,
      domain: "166" as never,
      slots: 10,
      window: 10,
      services: ["upper"],
      idempotent: [],
    });
    const busy = rig.session("busy");
    let most = 0;
    for (let seq = 0; seq < 500; seq++) {
      rig.submit(busy, seq, [{ kind: 1, bytes: new Uint8Array(40) }]);
      await rig.rest();
      rig.solve(rig.nodes.sent.splice(0), [{ kind: 1, bytes: new Uint8Array(40) }]);
      await rig.rest();
      rig.acknowledge(busy, [seq]);
      await rig.parts.ledger.compact();
      most = Math.max(most, await rig.journal());
    }
    expect(most).toBeLessThan(8192);
    rig.stop();
    const next = await HubRig.open(rig.backbone);
    expect([...next.session("old").jobs.keys()]).toEqual([0]);
    next.stop();
  });
});
