// The two duties of a living connection: be heard (beat when nothing else was sent) and listen (notice a silent peer).
import type { Clock } from "./clock.js";

export interface PulseOptions {
  readonly clock: Clock;
  readonly beatEveryMs: number;
  readonly silentAfterMs: number;
  /** Bytes the socket has received so far, if it can tell: a large frame that is still arriving is no silence. */
  readonly bytesReceived: () => number | undefined;
  beat(): void;
  silent(): void;
}

export class Pulse {
  readonly #options: PulseOptions;
  #sentAt: number;
  #heardAt: number;
  #bytes: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#sentAt = this.#heardAt = options.clock.now();
    this.#bytes = options.bytesReceived();
    this.#schedule();
  }

  sent(): void {
    this.#sentAt = this.#options.clock.now();
  }

  heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    const { clock, beatEveryMs, silentAfterMs } = this.#options;
    const due = Math.min(this.#sentAt + beatEveryMs, this.#heardAt + silentAfterMs);
    this.#cancel = clock.after(Math.max(0, due - clock.now()), () => this.#look(due));
  }

  #look(due: number): void {
    const { clock, beatEveryMs, silentAfterMs, bytesReceived, beat, silent } = this.#options;
    const now = clock.now();
    const bytes = bytesReceived();
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#heardAt = now;
    }
    // A loop that was blocked has not read what the peer sent meanwhile: read first, judge one beat later.
    if (now - due > beatEveryMs / 2)
      this.#heardAt = Math.max(this.#heardAt, now - silentAfterMs + beatEveryMs);
    if (now - this.#heardAt >= silentAfterMs) {
      this.#cancel = undefined;
      silent();
      return;
    }
    if (now - this.#sentAt >= beatEveryMs) {
      this.#sentAt = now;
      beat();
    }
    this.#schedule();
  }
}
