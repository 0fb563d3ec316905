// What the link to the hub can do: milliseconds there and back, bytes a second each way, measured with probes in well under a second.
import type { MessageOf } from "../../wire/index.js";

export interface LinkFigures {
  readonly linkMs: number;
  /** Bytes a second to the hub and from it. */
  readonly up: number;
  readonly down: number;
}

/** Small probes for the latency. */
const PINGS = 5;
/** Bytes of the first large probe, and of the largest. */
const FIRST_BYTES = 64 * 1024;
const MOST_BYTES = 2 * 1024 * 1024;
/** A probe that takes so long says enough; and the whole measurement ends after the second. */
const ENOUGH_MS = 30;
const BUDGET_MS = 600;
/** A hub that has not answered by then does not. */
const SILENT_MS = 2000;

/** Sends one probe; rejects when the link breaks. */
export type Probe = (data: Uint8Array, reply: number) => Promise<void>;

/** Measures with growing probes until one takes long enough to tell. Rejects when the link breaks, or says nothing for long. */
export async function probeLink(
  probe: Probe,
  now: () => number = () => performance.now(),
): Promise<LinkFigures> {
  const start = now();
  const timed = async (bytes: number, reply: number) => {
    const from = now();
    await probe(new Uint8Array(bytes), reply);
    return now() - from;
  };
  let linkMs = Infinity;
  for (let i = 0; i < PINGS && (i === 0 || now() - start < BUDGET_MS / 3); i++)
    linkMs = Math.min(linkMs, await timed(0, 0));
  const rate = async (direction: (bytes: number) => Promise<number>) => {
    let best = 0;
    for (let bytes = FIRST_BYTES; bytes <= MOST_BYTES; bytes *= 2) {
      const ms = await direction(bytes);
      // What the way there and back takes is not the bytes' time, but less than nothing they do not take either.
      best = Math.max(best, (bytes / Math.max(ms - linkMs, ms / 10)) * 1000);
      if (ms > linkMs + ENOUGH_MS || now() - start > BUDGET_MS) break;
    }
    return best;
  };
  const up = await rate((bytes) => timed(bytes, 0));
  const down = await rate((bytes) => timed(0, bytes));
  return { linkMs, up, down };
}

/** The link's figures; undefined when it broke meanwhile, or the hub does not answer probes. */
export async function measureLink(probe: Probe): Promise<LinkFigures | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), SILENT_MS);
  });
  try {
    return await Promise.race([probeLink(probe), silent]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** What a note of an earlier visit says; undefined where it says nothing that can be used. */
export function linkFigures(note: unknown): LinkFigures | undefined {
  const { linkMs, up, down } = (note ?? {}) as Partial<LinkFigures>;
  return [linkMs, up, down].every((figure) => typeof figure === "number" && figure > 0)
    ? { linkMs: linkMs!, up: up!, down: down! }
    : undefined;
}

/** Probes over a link, answered by `echo`. */
export class Probes {
  readonly #send: (message: MessageOf<"probe">) => boolean;
  readonly #waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  #last = 0;

  constructor(send: (message: MessageOf<"probe">) => boolean) {
    this.#send = send;
  }

  readonly probe: Probe = (data, reply) =>
    new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#waiting.set(id, { resolve, reject });
      if (!this.#send({ t: "probe", id, data, reply })) this.down();
    });

  echoed({ id }: MessageOf<"echo">): void {
    this.#waiting.get(id)?.resolve();
    this.#waiting.delete(id);
  }

  /** No answer will come. */
  down(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error("the link broke"));
    this.#waiting.clear();
  }
}
