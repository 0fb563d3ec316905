// Batches over a host that holds jobs until the test solves them: order, backpressure, leaving early.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JobError, type NodeId } from "../ids/index.js";
import { onTickEnd, packPayloads } from "../wire/index.js";
import { Batch, type BatchHost } from "./batch.js";
import { Outstanding, type Sink } from "./outstanding.js";
import { Solution, Unsolved, type Result } from "./result.js";

const NODE = "worker.00.00.00.01" as NodeId;

/** Stands where the main node stands, with its bookkeeping, without a link. */
class Host implements BatchHost {
  readonly outstanding = new Outstanding();
  /** Job by number, as text. */
  readonly sent = new Map<number, string>();
  readonly taken_: number[] = [];
  /** Jobs of each submit. */
  readonly chunks: number[] = [];
  cancels = 0;

  submit(payloads: Parameters<BatchHost["submit"]>[0], sink: Sink, index: number): void {
    const message = this.outstanding.add(
      { t: "submit", service: "upper", ...packPayloads(payloads) },
      payloads.map(({ bytes }) => bytes.length),
      sink,
      index,
    );
    this.chunks.push(payloads.length);
    payloads.forEach(({ bytes }, i) => this.sent.set(message.seq + i, new TextDecoder().decode(bytes)));
  }

  room = () => this.outstanding.room();
  turn = () => new Promise<void>((resolve) => onTickEnd(resolve));

  taken(receipt: { seq: number; bytes: number }): void {
    if (receipt.bytes >= 0) this.outstanding.leave(receipt);
    this.taken_.push(receipt.seq);
  }

  cancel(sink: Sink): void {
    this.cancels++;
    const seqs = this.outstanding.seqsOf(sink);
    onTickEnd(() => seqs.forEach((seq) => this.fail(seq, "cancelled")));
  }

  solve(seq: number): void {
    const ticket = this.outstanding.take(seq);
    const bytes = new TextEncoder().encode(this.sent.get(seq)!.toUpperCase());
    ticket?.sink.settle(
      ticket.index,
      new Solution({ payload: { kind: 1, bytes } }, NODE, ticket.index, ticket),
    );
  }

  fail(seq: number, code: string): void {
    const ticket = this.outstanding.take(seq);
    ticket?.sink.settle(ticket.index, new Unsolved(new JobError(code, code), ticket.index, ticket));
  }

  solveAll(): void {
    for (const seq of this.sent.keys()) this.solve(seq);
  }
}

const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await new Promise<void>((resolve) => onTickEnd(resolve));
};
const told = (result: Result) => (result.ok ? result.text() : result.error.code);

describe("a batch", () => {
  it("gives one result for each job, with the job's place, whatever the order they come in", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 9, arbitrary: fc.string() }, { weight: 1, arbitrary: fc.bigInt() })),
        fc.boolean(),
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        async (jobs, inOrder, slowly, order) => {
          const host = new Host();
          const source = slowly
            ? (async function* () {
                for (const job of jobs) yield job;
              })()
            : jobs;
          const batch = new Batch(host, source);
          const results: Result[] = [];
          let done = false;
          const reading = (async () => {
            for await (const result of inOrder ? batch.inOrder() : batch) results.push(result);
            done = true;
          })();
          while (!done) {
            await turns(1);
            const open = [...host.sent.keys()];
            const pick = open[order.next().value! % Math.max(1, open.length)];
            if (pick === undefined) continue;
            host.solve(pick);
            host.sent.delete(pick);
          }
          await reading;
          // A value that can not travel costs itself only.
          const wanted = jobs.map((job) => (typeof job === "string" ? job.toUpperCase() : "bad_argument"));
          if (inOrder) expect(results.map((result) => result.index)).toEqual(jobs.map((_, i) => i));
          const sorted = [...results].sort((a, b) => a.index - b.index);
          expect(sorted.map(told)).toEqual(wanted);
          // All were acknowledged: nothing counts for the next batch's room.
          expect(host.taken_.filter((seq) => seq >= 0)).toHaveLength(
            jobs.filter((job) => typeof job === "string").length,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("does not read a million jobs ahead of its reader", async () => {
    const host = new Host();
    let read = 0;
    let closed = false;
    const batch = new Batch(
      host,
      (function* () {
        try {
          for (; read < 1_000_000; read++) yield `job ${read}`;
        } finally {
          closed = true;
        }
      })(),
    );
    await turns(200);
    const window = read;
    expect(window).toBeLessThan(20_000);
    expect(Math.max(...host.chunks)).toBeLessThanOrEqual(1024);
    // Solved is not taken: it stays where it is until the reader takes some.
    host.solveAll();
    await turns(50);
    expect(read).toBe(window);
    let taken = 0;
    for await (const result of batch) {
      expect(result.ok).toBe(true);
      if (++taken === 5_000) break;
    }
    expect(read).toBeGreaterThan(window);
    expect(read).toBeLessThan(window + 10_000);
    await turns(5);
    expect(closed).toBe(true);
  });

  it("holds back by bytes too", async () => {
    const host = new Host();
    let read = 0;
    const batch = new Batch(
      host,
      (function* () {
        for (; read < 1000; read++) yield new Uint8Array(1024 * 1024);
      })(),
    );
    await turns(200);
    expect(read).toBeLessThan(80);
    await batch.cancel();
  });

  it("holds back while an early job's turn has not come", async () => {
    const host = new Host();
    let read = 0;
    const batch = new Batch(
      host,
      (function* () {
        for (; read < 100_000; read++) yield "job";
      })(),
    );
    const results = batch.inOrder();
    const first = results.next();
    for (let i = 0; i < 100; i++) {
      await turns(1);
      for (const seq of [...host.sent.keys()].filter((seq) => seq > 0)) {
        host.solve(seq);
        host.sent.delete(seq);
      }
    }
    expect(read).toBeLessThan(20_000);
    // What has not been handed out has not been acknowledged: a client that died now would get it again.
    expect(host.taken_).toEqual([]);
    host.solve(0);
    expect(await first).toMatchObject({ value: { index: 0 } });
    expect(await results.next()).toMatchObject({ value: { index: 1 } });
    expect(host.taken_).toEqual([0]);
    await results.return?.();
  });

  it("sends what a slow source has given without waiting for more", async () => {
    const host = new Host();
    let give!: (value: string) => void;
    const batch = new Batch(
      host,
      (async function* () {
        yield "first";
        yield new Promise<string>((resolve) => (give = resolve));
      })(),
    );
    await turns(3);
    expect([...host.sent.values()]).toEqual(["first"]);
    host.solveAll();
    const results = batch[Symbol.asyncIterator]();
    expect(told((await results.next()).value!)).toBe("FIRST");
    give("second");
    await turns(3);
    host.solveAll();
    expect(told((await results.next()).value!)).toBe("SECOND");
    expect((await results.next()).done).toBe(true);
  });

  it("never reports a cancelled job as solved", async () => {
    const host = new Host();
    const batch = new Batch(host, ["a", "b", "c"]);
    host.solve(0);
    const cancelled = batch.cancel();
    // The hub was quicker with this one.
    host.solve(1);
    await cancelled;
    const results: string[] = [];
    for await (const result of batch) results.push(told(result));
    expect(results).toEqual(["A", "cancelled", "cancelled"]);
    expect(host.cancels).toBe(1);
    await batch.cancel();
    expect(host.cancels).toBe(1);
  });

  it("cancels what is left when its loop is left, and acknowledges what nobody will read", async () => {
    for (const inOrder of [false, true]) {
      const host = new Host();
      const batch = new Batch(host, ["a", "b", "c", "d"]);
      host.solve(0);
      host.solve(2);
      for await (const result of inOrder ? batch.inOrder() : batch) {
        expect(told(result)).toBe("A");
        break;
      }
      expect(host.cancels).toBe(1);
      expect(batch.settled).toBe(4);
      expect(host.taken_.sort()).toEqual([0, 1, 2, 3]);
    }
  });

  it("is read once", async () => {
    const host = new Host();
    const batch = new Batch(host, ["a"]);
    host.solveAll();
    for await (const result of batch) expect(told(result)).toBe("A");
    expect(() => batch[Symbol.asyncIterator]()).toThrow(/iterated once/);
    expect(() => batch.inOrder()).toThrow(/iterated once/);
  });

  it("passes on its source's error after the results of what the source gave", async () => {
    const host = new Host();
    const batch = new Batch(
      host,
      (function* () {
        yield "a";
        yield "b";
        throw new Error("the file ends here");
      })(),
    );
    await turns(2);
    host.solveAll();
    const results: string[] = [];
    await expect(
      (async () => {
        for await (const result of batch) results.push(told(result));
      })(),
    ).rejects.toThrow("the file ends here");
    expect(results).toEqual(["A", "B"]);
  });

  it("ends at once without jobs", async () => {
    const results: Result[] = [];
    for await (const result of new Batch(new Host(), [])) results.push(result);
    expect(results).toEqual([]);
  });
});
