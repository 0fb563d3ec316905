// Both ends of a stream over links that break at any point: every byte comes, once, in order, and never more than was granted.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlockworkError } from "../ids/index.js";
import type { MessageOf } from "./messages.js";
import { CHUNK_BYTES } from "./chunk-memory.js";
import {
  bytesSource,
  InStream,
  onceSource,
  OutStream,
  readStream,
  WINDOW_BYTES,
  type StreamRoad,
  type StreamSource,
} from "./stream.js";

const RUNS = Number(process.env["FLOCKWORK_TEST_RUNS"] ?? 30);
const ID = "5a".repeat(16);

/** Bytes that differ everywhere. */
function noise(size: number): Uint8Array {
  const data = new Uint8Array(size);
  for (let i = 0, x = size + 1; i < size; i++) data[i] = x = (Math.imul(x, 1103515245) + 12345) >>> 8;
  return data;
}

async function* pieces(whole: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A sender and a receiver with a connection between them that carries so many messages and then loses what is on its way,
 * for each of `lives`, and then one that holds.
 */
class Rig {
  readonly errors: unknown[] = [];
  readonly out: OutStream;
  readonly in: InStream;
  /** The most bytes that had come and were not read. */
  behind = 0;
  #life = 0;
  #left: number;
  #read = 0;

  constructor(
    source: StreamSource,
    readonly lives: readonly number[],
  ) {
    this.#left = lives[0] ?? Infinity;
    this.out = new OutStream(ID, source, (error) => {
      this.errors.push(error);
      this.in.fail(error);
    });
    this.in = new InStream({
      maxBytes: 2 ** 30,
      grant: (have, upTo) => this.#carry(this.#life, () => this.out.granted(have, upTo)),
    });
    this.#connect();
  }

  async read(): Promise<Uint8Array> {
    const got: Uint8Array[] = [];
    for await (const piece of this.in) {
      this.behind = Math.max(this.behind, this.in.have - this.#read);
      this.#read += piece.length;
      got.push(piece);
      if (got.length % 3 === 0) await turn();
    }
    return Buffer.concat(got);
  }

  #connect(): void {
    const life = this.#life;
    const road: StreamRoad = {
      bufferedAmount: 0,
      drained: turn,
      sendAlone: (message) => this.#carry(life, () => this.#deliver(message)),
    };
    this.out.attach(road, this.in.have, this.in.upTo);
  }

  #deliver(message: MessageOf<"chunk"> | MessageOf<"end">): void {
    if (message.t === "end") this.in.end(message.bytes);
    else this.in.chunk(message.offset, message.data);
  }

  /** Later, unless the connection has gone by then. */
  #carry(life: number, deliver: () => void): void {
    queueMicrotask(() => {
      if (life !== this.#life) return;
      if (this.#left-- > 0) deliver();
      else this.#break();
    });
  }

  #break(): void {
    this.out.detach();
    this.#left = this.lives[++this.#life] ?? Infinity;
    setImmediate(() => this.#connect());
  }
}

describe("a stream", () => {
  for (const kind of ["again", "once"] as const)
    it(`brings every byte over connections that break, from a source that can be read ${kind}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: 3 * WINDOW_BYTES }),
          fc.integer({ min: 1000, max: 2 * CHUNK_BYTES }),
          fc.array(fc.nat({ max: 12 }), { maxLength: 6 }),
          async (size, piece, lives) => {
            const whole = noise(size);
            const source = kind === "again" ? bytesSource(whole) : onceSource(pieces(whole, piece));
            const rig = new Rig(source, lives);
            expect(Buffer.compare(await rig.read(), whole)).toBe(0);
            expect(rig.errors).toEqual([]);
            expect(rig.behind).toBeLessThanOrEqual(WINDOW_BYTES);
          },
        ),
        { numRuns: RUNS },
      );
    });

  it("waits for the reader: no more is read of the source than the window and a chunk", async () => {
    let given = 0;
    const endless = async function* () {
      for (;;) {
        given += CHUNK_BYTES;
        yield new Uint8Array(CHUNK_BYTES);
      }
    };
    const rig = new Rig(onceSource(endless()), []);
    for (let i = 0; i < 200; i++) await turn();
    expect(given).toBeGreaterThanOrEqual(WINDOW_BYTES);
    expect(given).toBeLessThanOrEqual(WINDOW_BYTES + 2 * CHUNK_BYTES);
    rig.out.cancel();
  });

  it("waits while its connection has enough to send", async () => {
    const sent: number[] = [];
    let drain = () => {};
    const road = {
      bufferedAmount: 2 ** 30,
      drained: () => new Promise<void>((resolve) => (drain = resolve)),
      sendAlone: (message: MessageOf<"chunk"> | MessageOf<"end">) =>
        sent.push("offset" in message ? message.offset : -1),
    };
    const out = new OutStream(ID, bytesSource(noise(10)), () => undefined);
    out.attach(road, 0, WINDOW_BYTES);
    await turn();
    expect(sent).toEqual([]);
    road.bufferedAmount = 0;
    drain();
    await turn();
    expect(sent).toEqual([0, -1]);
  });

  it("is lost when a source that is read once must begin again, and its source is told", async () => {
    let left = false;
    const endless = async function* () {
      try {
        for (;;) yield new Uint8Array(CHUNK_BYTES);
      } finally {
        left = true;
      }
    };
    const rig = new Rig(onceSource(endless()), []);
    await rig.in[Symbol.asyncIterator]().next();
    for (let i = 0; i < 50; i++) await turn();
    rig.out.granted(WINDOW_BYTES, 2 * WINDOW_BYTES);
    rig.out.attach({ bufferedAmount: 0, drained: turn, sendAlone: () => undefined }, 0, WINDOW_BYTES);
    await turn();
    expect(rig.errors).toMatchObject([{ code: "stream_lost" }]);
    expect(left).toBe(true);
  });

  it("fails with its source, and with a source that gives no bytes", async () => {
    const broken = async function* () {
      yield new Uint8Array(10);
      throw new Error("no more");
    };
    await expect(new Rig(onceSource(broken()), []).read()).rejects.toThrow("no more");
    const text = (async function* () {
      yield "text" as unknown as Uint8Array;
    })();
    await expect(new Rig(onceSource(text), []).read()).rejects.toThrow(
      /gives Uint8Arrays, this one gave a string/,
    );
  });
});

describe("a receiver", () => {
  const receiver = (maxBytes = 2 ** 30) => new InStream({ maxBytes, grant: () => undefined });

  it("refuses a hole, what was not granted, what is too large, and an end elsewhere", () => {
    const refused = (code: string) => expect.objectContaining({ code });
    expect(() => receiver().chunk(1, noise(10))).toThrow(refused("bad_message"));
    expect(() => receiver().chunk(0, noise(WINDOW_BYTES + 1))).toThrow(refused("bad_message"));
    expect(() => receiver(9).chunk(0, noise(10))).toThrow(refused("too_large"));
    expect(() => receiver().end(1)).toThrow(refused("bad_message"));
  });

  it("drops what came before, also where a chunk overlaps", async () => {
    const stream = receiver();
    const whole = noise(30);
    for (const [from, to] of [
      [0, 10],
      [0, 10],
      [5, 20],
      [20, 30],
    ] as const)
      stream.chunk(from, whole.subarray(from, to));
    stream.end(30);
    expect(await readStream(stream, 30)).toEqual(whole);
  });

  it("tells the sender when its reader leaves early, and not when it has read all", async () => {
    let left = 0;
    const make = () => new InStream({ maxBytes: 100, grant: () => undefined, left: () => left++ });
    const early = make();
    early.chunk(0, noise(10));
    const reader = early[Symbol.asyncIterator]();
    await reader.next();
    await reader.return();
    expect(left).toBe(1);
    const whole = make();
    whole.chunk(0, noise(10));
    whole.end(10);
    await readStream(whole, 10);
    expect(left).toBe(1);
  });

  it("of a length that is known takes neither more nor less", async () => {
    const stream = (sizes: number[]) =>
      (async function* () {
        for (const size of sizes) yield noise(size);
      })();
    await expect(readStream(stream([5, 5]), 9)).rejects.toThrow(FlockworkError);
    await expect(readStream(stream([5]), 9)).rejects.toThrow(FlockworkError);
  });
});
