// The other direction of transfers.ts: a client or a node sends what the hub fetches from it, a value or a tensor that it gave.
// It keeps nothing over a break: whoever fetched asks again from where it has come to, under the same id.
import { FlockworkError } from "../ids/index.js";
import type { MessageOf } from "./messages.js";
import { OutStream, type StreamRoad, type StreamSource } from "./stream.js";

type Incoming = MessageOf<"fetch" | "grant" | "broken">;

/** What serving needs of its link. */
export interface ServingLink extends StreamRoad {
  readonly up: boolean;
  send(message: MessageOf<"broken">): boolean;
}

/** What a fetch is of, as bytes that can be read again; `over` is called once they are not needed any more. */
export interface Served {
  readonly source: StreamSource;
  readonly over?: () => void;
}

/** Finds what a fetch is of. Throws or rejects with a FlockworkError (`value_lost`, ...) that the other side hears. */
export type Find = (of: MessageOf<"fetch">["of"]) => Served | Promise<Served>;

/** One fetch: being looked for until `out` is there. */
interface Stream {
  have: number;
  upTo: number;
  out?: OutStream;
  over?: (() => void) | undefined;
}

export class Serving {
  readonly #link: ServingLink;
  readonly #find: Find;
  readonly #streams = new Map<string, Stream>();

  constructor(link: ServingLink, find: Find) {
    this.#link = link;
    this.#find = find;
  }

  /** How many fetches are under way. */
  get size(): number {
    return this.#streams.size;
  }

  /** Takes a message of the hub. False: a grant or break of a stream that is not served here, for Transfers to look at. */
  receive(message: Incoming): boolean {
    const known = this.#streams.get(message.id);
    if (message.t === "fetch") {
      if (known !== undefined) this.#over(message.id, known);
      void this.#serve(message);
      return true;
    }
    if (known === undefined) return false;
    if (message.t === "broken") this.#over(message.id, known);
    else if (known.out === undefined) known.upTo = Math.max(known.upTo, message.upTo);
    else known.out.granted(message.have, message.upTo);
    return true;
  }

  /** The link is down, or closed. */
  down(): void {
    for (const [id, stream] of [...this.#streams]) this.#over(id, stream);
  }

  async #serve({ id, offset, upTo, of }: MessageOf<"fetch">): Promise<void> {
    const stream: Stream = { have: offset, upTo };
    this.#streams.set(id, stream);
    try {
      const { source, over } = await this.#find(of);
      if (this.#streams.get(id) !== stream) {
        over?.();
        return;
      }
      stream.over = over;
      stream.out = new OutStream(id, source, (error) => this.#failed(id, stream, error));
      stream.out.attach(this.#road(id, stream), stream.have, stream.upTo);
    } catch (error) {
      this.#failed(id, stream, error);
    }
  }

  #road(id: string, stream: Stream): StreamRoad {
    const link = this.#link;
    return {
      get bufferedAmount() {
        return link.bufferedAmount;
      },
      drained: () => link.drained(),
      sendAlone: (message) => {
        link.sendAlone(message);
        if (message.t === "end") this.#over(id, stream);
      },
    };
  }

  #failed(id: string, stream: Stream, error: unknown): void {
    if (this.#streams.get(id) !== stream) return;
    this.#over(id, stream);
    const { code, message } =
      error instanceof FlockworkError
        ? error
        : new FlockworkError("internal", `What was fetched can not be read: ${String(error)}`);
    this.#link.send({ t: "broken", id, code, message: message.slice(0, 4096) });
  }

  #over(id: string, stream: Stream): void {
    if (this.#streams.get(id) === stream) this.#streams.delete(id);
    stream.out?.cancel();
    stream.over?.();
    stream.over = undefined;
  }
}
