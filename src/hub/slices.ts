// One peer's frames, a slice of time a turn of the loop: whoever sends without end waits behind those who send now and then.

/** How long one peer may be worked for before others get their turn. */
const SLICE_MS = 0.25;

export class Slices<Frame> {
  readonly #work: (frame: Frame) => void;
  readonly #source: { pause(): void; resume(): void };
  /** Came while the peer rests; no more than its socket had read when it was paused. */
  #waiting: Frame[] = [];
  #resting = false;
  #spent = 0;
  #last = 0;

  constructor(work: (frame: Frame) => void, source: { pause(): void; resume(): void }) {
    this.#work = work;
    this.#source = source;
  }

  take(frame: Frame): void {
    if (this.#resting) this.#waiting.push(frame);
    else if (this.#run(frame)) {
      this.#resting = true;
      this.#source.pause();
      setImmediate(this.#next);
    }
  }

  /** Works through what waits, at once: nothing more will come. */
  finish(): void {
    for (const frame of this.#waiting.splice(0)) this.#work(frame);
  }

  /** Whether the slice is used up. */
  #run(frame: Frame): boolean {
    const start = performance.now();
    if (start - this.#last > SLICE_MS) this.#spent = 0;
    this.#work(frame);
    this.#last = performance.now();
    this.#spent += this.#last - start;
    return this.#spent >= SLICE_MS;
  }

  readonly #next = () => {
    this.#spent = 0;
    let done = 0;
    while (done < this.#waiting.length) if (this.#run(this.#waiting[done++]!)) break;
    this.#waiting.splice(0, done);
    if (this.#waiting.length > 0) {
      setImmediate(this.#next);
      return;
    }
    this.#resting = false;
    this.#source.resume();
  };
}
