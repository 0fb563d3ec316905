// Serving against Transfers: what one side fetches the other sends, over links that break and come back.
import { describe, expect, it } from "vitest";
import { FlockworkError } from "../ids/index.js";
import type { MessageOf } from "./messages.js";
import { Serving, type Find } from "./serving.js";
import { bytesSource, readStream, WINDOW_BYTES } from "./stream.js";
import { Transfers } from "./transfers.js";

type Any = MessageOf<"fetch" | "grant" | "broken" | "chunk" | "end" | "open">;
const GIVEN = { graph: "ab".repeat(16), given: 3 };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Bytes that differ everywhere. */
function noise(size: number): Uint8Array {
  const data = new Uint8Array(size);
  for (let i = 0, x = size + 1; i < size; i++) data[i] = x = (Math.imul(x, 1103515245) + 12345) >>> 8;
  return data;
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** A fetcher and a server; the connection carries `carries` messages and then breaks until up() is called. */
class Pair {
  readonly serving: Serving;
  readonly transfers: Transfers;
  readonly toFetcher: Any[] = [];
  #up = true;
  #life = 0;

  constructor(
    find: Find,
    private carries = Infinity,
  ) {
    const side = (deliver: (message: Any) => void) => {
      const send = (message: Any): boolean => {
        if (!this.#up) return false;
        const life = this.#life;
        setImmediate(() => {
          if (life !== this.#life) return;
          if (this.carries-- > 0) deliver(message);
          else this.break();
        });
        return true;
      };
      const isUp = () => this.#up;
      return {
        get up() {
          return isUp();
        },
        bufferedAmount: 0,
        drained: turn,
        send,
        sendAlone: send,
      };
    };
    this.serving = new Serving(
      side((message) => {
        this.toFetcher.push(message);
        this.transfers.receive(message as MessageOf<"chunk">);
      }),
      find,
    );
    this.transfers = new Transfers(
      side((message) => {
        this.serving.receive(message as MessageOf<"fetch">);
      }),
    );
  }

  break(): void {
    this.#life++;
    this.#up = false;
    this.serving.down();
    this.transfers.down();
  }

  up(carries = Infinity): void {
    this.#up = true;
    this.carries = carries;
    this.transfers.up();
  }
}

describe("Serving", () => {
  it("sends what is fetched, and tells when it is over", async () => {
    const data = noise(WINDOW_BYTES + 300_000);
    let over = 0;
    const pair = new Pair((of) => {
      expect(of).toEqual(GIVEN);
      return { source: bytesSource(data), over: () => over++ };
    });
    expect(same(await readStream(pair.transfers.fetch(GIVEN, data.length), data.length), data)).toBe(true);
    expect([over, pair.serving.size]).toEqual([1, 0]);
  });

  it("goes on where the fetcher has come to, through breaks at every place", async () => {
    const data = noise(1_500_000);
    let opened = 0;
    let over = 0;
    const pair = new Pair(async () => {
      opened++;
      await turn();
      return { source: bytesSource(data), over: () => over++ };
    }, 1);
    let done = false;
    const read = readStream(pair.transfers.fetch(GIVEN, data.length), data.length).finally(() => {
      done = true;
    });
    for (let life = 2; !done; life++) {
      for (let i = 0; i < 40 && !done; i++) await turn();
      if (!done) pair.up(life);
    }
    expect(same(await read, data)).toBe(true);
    expect(over).toBe(opened);
    expect(opened).toBeGreaterThan(2);
  });

  it("says why when there is no such thing, and when its source fails", async () => {
    const lost = new Pair(() => {
      throw new FlockworkError("value_lost", "The value is gone.");
    });
    await expect(readStream(lost.transfers.fetch(GIVEN, 10), 10)).rejects.toMatchObject({
      code: "value_lost",
      message: "The value is gone.",
    });
    const broken = new Pair(() => ({
      source: {
        again: async function* () {
          await turn();
          throw new Error("bad disk");
        },
      },
    }));
    await expect(readStream(broken.transfers.fetch(GIVEN, 10), 10)).rejects.toThrow(/bad disk/);
  });

  it("stops when the fetcher leaves, and leaves alone what it does not serve", async () => {
    let over = 0;
    const pair = new Pair(() => ({ source: bytesSource(noise(9_000_000)), over: () => over++ }));
    for await (const chunk of pair.transfers.fetch(GIVEN, 9_000_000)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    while (pair.serving.size > 0) await turn();
    expect(over).toBe(1);
    expect(pair.serving.receive({ t: "grant", id: "00".repeat(16), have: 0, upTo: 1 })).toBe(false);
  });
});
